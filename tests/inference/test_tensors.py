"""Tensors in messages, as any client could send them."""

import numpy as np
import pytest

from services.inference.open_inference import parameters, tensors
from services.inference.priority import Priority
from services.inference.refusal import InvalidRequestError
from services.inference.signature import Signature, TensorSpec
from services.pb import open_inference_pb2 as pb

IMAGE = TensorSpec("image", np.dtype(np.uint8), (2, 2))
SIGNATURE = Signature(IMAGE, (TensorSpec("mask", np.dtype(np.float32), (2,)),))


def spec(dtype: type[np.generic]) -> TensorSpec:
    return TensorSpec("image", np.dtype(dtype), (2, 2))


def request(*shape: int, **contents: list[object]) -> pb.ModelInferRequest:
    """Build a request whose tensor is typed, or has no elements where none are given."""
    built = pb.ModelInferRequest()
    sent = built.inputs.add(name="image", datatype="UINT8", shape=shape)
    for field, values in contents.items():
        getattr(sent.contents, field).extend(values)
    return built


def raw(content: bytes, *shape: int) -> pb.ModelInferRequest:
    built = request(*shape)
    built.raw_input_contents.append(content)
    return built


def test_raw_and_typed_elements_are_the_same_tensor() -> None:
    typed = tensors.read(request(1, 2, 2, uint_contents=[1, 2, 3, 255]), IMAGE)
    sent_raw = tensors.read(raw(bytes([1, 2, 3, 255]), 1, 2, 2), IMAGE)
    expected = np.array([[[1, 2], [3, 255]]], np.uint8)
    np.testing.assert_array_equal(typed, expected, strict=True)
    np.testing.assert_array_equal(sent_raw, expected, strict=True)


@pytest.mark.parametrize(
    ("dtype", "field", "values"),
    [
        (np.bool_, "bool_contents", [True, False, True, True]),
        (np.int8, "int_contents", [-128, 0, 1, 127]),
        (np.int64, "int64_contents", [-(2**63), 0, 1, 2**63 - 1]),
        (np.uint16, "uint_contents", [0, 1, 2, 65535]),
        (np.uint64, "uint64_contents", [0, 1, 2, 2**64 - 1]),
        (np.float32, "fp32_contents", [0.5, -1.5, 0, 3e38]),
        (np.float64, "fp64_contents", [0.5, -1.5, 0, 1e300]),
    ],
)
def test_every_type_has_its_field(
    dtype: type[np.generic], field: str, values: list[object]
) -> None:
    read = tensors.read(request(1, 2, 2, **{field: values}), spec(dtype))
    expected = np.array(values, dtype).reshape(1, 2, 2)
    np.testing.assert_array_equal(read, expected, strict=True)


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        (raw(b"123", 1, 2, 2), "image takes 4 bytes in this shape; 3 came"),
        (raw(b"12345", 1, 2, 2), "image takes 4 bytes in this shape; 5 came"),
        (request(1, 2, 2), "sent in uint_contents or raw_input_contents; nothing came"),
        (request(1, 2, 2, uint_contents=[1]), "image takes 4 elements in this shape; 1 came"),
        (request(1, 2, 2, uint_contents=[1, 2, 3, 256]), "has elements that are no UINT8"),
        (request(1, 2, 2, fp32_contents=[1, 2, 3, 4]), "uint_contents .*; fp32_contents came"),
        (
            request(1, 2, 2, uint_contents=[1, 2, 3, 4], int_contents=[1]),
            "int_contents, uint_contents came",
        ),
    ],
)
def test_elements_that_do_not_fit_are_refused(sent: pb.ModelInferRequest, sentence: str) -> None:
    with pytest.raises(InvalidRequestError, match=sentence):
        tensors.read(sent, IMAGE)


def test_elements_cannot_come_both_raw_and_typed() -> None:
    sent = request(1, 2, 2, uint_contents=[1, 2, 3, 4])
    sent.raw_input_contents.append(b"1234")
    with pytest.raises(InvalidRequestError, match="both in contents and in raw_input_contents"):
        tensors.read(sent, IMAGE)


def test_one_input_has_one_raw_entry() -> None:
    sent = raw(b"1234", 1, 2, 2)
    sent.raw_input_contents.append(b"1234")
    with pytest.raises(InvalidRequestError, match="one entry an input; 2 came"):
        tensors.read(sent, IMAGE)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_finite_number_is_refused(value: float) -> None:
    numbers = np.array([1, 2, 3, value], np.float32)
    typed = request(1, 2, 2, fp32_contents=numbers.tolist())
    for sent in (typed, raw(numbers.tobytes(), 1, 2, 2)):
        with pytest.raises(InvalidRequestError, match="no finite numbers"):
            tensors.read(sent, spec(np.float32))


def test_half_precision_can_only_be_sent_raw() -> None:
    numbers = np.array([1, 2, 3, 4], np.float16)
    read = tensors.read(raw(numbers.tobytes(), 1, 2, 2), spec(np.float16))
    np.testing.assert_array_equal(read, numbers.reshape(1, 2, 2), strict=True)
    with pytest.raises(InvalidRequestError, match="FP16, sent in raw_input_contents; fp32"):
        tensors.read(request(1, 2, 2, fp32_contents=[1, 2, 3, 4]), spec(np.float16))


@pytest.mark.parametrize("shape", [(), (1,), (2, 2), (0, 2, 2), (-1, 2, 2), (5, 2, 2), (1, 2, 3)])
def test_a_shape_that_is_not_the_models_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidRequestError, match=r"has the shape \[-1, 2, 2\] with 1 to 4 rows"):
        tensors.check(request(*shape), SIGNATURE, most=4)


def test_a_size_that_varies_takes_any_but_none() -> None:
    signature = Signature(TensorSpec("image", np.dtype(np.uint8), (-1, 2)), ())
    tensors.check(request(1, 7, 2), signature, most=4)
    with pytest.raises(InvalidRequestError, match=r"\[1, 0, 2\] came"):
        tensors.check(request(1, 0, 2), signature, most=4)


def test_of_a_million_names_and_sizes_a_few_are_shown() -> None:
    crowd = request(*[1] * 100_000)
    with pytest.raises(InvalidRequestError) as refused:
        tensors.check(crowd, SIGNATURE, most=4)
    assert len(str(refused.value)) < 200
    for _ in range(10_000):
        crowd.inputs.add(name="image")
        crowd.outputs.add(name="mask")
    with pytest.raises(InvalidRequestError) as refused:
        tensors.check(crowd, SIGNATURE, most=4)
    assert len(str(refused.value)) < 200
    with pytest.raises(InvalidRequestError) as refused:
        tensors.requested(crowd, SIGNATURE)
    assert len(str(refused.value)) < 200


def test_shared_memory_is_refused_wherever_it_is_named() -> None:
    for place in range(3):
        sent = request(1, 2, 2)
        places = (sent.parameters, sent.inputs[0].parameters, sent.outputs.add().parameters)
        places[place]["shared_memory_region"].string_param = "mine"
        with pytest.raises(InvalidRequestError, match="does not speak shared memory"):
            parameters.refuse_extensions(sent)


def test_the_earlier_of_two_deadlines_rules() -> None:
    said = {"timeout": pb.InferParameter(int64_param=2_000_000)}
    assert parameters.urgency(said, deadline=11, now=10).deadline == 11
    assert parameters.urgency(said, deadline=13, now=10).deadline == 12
    assert parameters.urgency({}, deadline=13, now=10).deadline == 13


@pytest.mark.parametrize(
    ("level", "priority"),
    [(0, Priority.INTERACTIVE), (1, Priority.INTERACTIVE), (2, Priority.BULK)],
)
def test_a_priority_is_a_level(level: int, priority: Priority) -> None:
    for said in (pb.InferParameter(int64_param=level), pb.InferParameter(uint64_param=level)):
        assert parameters.urgency({"priority": said}, 13, 10).priority is priority


def test_a_priority_that_is_no_number_is_refused() -> None:
    said = {"priority": pb.InferParameter(string_param="high")}
    with pytest.raises(InvalidRequestError, match="priority is a whole number; string_param came"):
        parameters.urgency(said, 13, 10)


def test_the_same_tensor_has_the_same_fingerprint_raw_or_typed() -> None:
    typed = tensors.fingerprint(request(1, 2, 2, uint_contents=[1, 2, 3, 255]))
    assert tensors.fingerprint(raw(bytes([1, 2, 3, 255]), 1, 2, 2)) == typed
    assert tensors.fingerprint(raw(bytes([1, 2, 3, 254]), 1, 2, 2)) != typed


def test_pictures_with_the_same_dark_edges_have_fingerprints_of_their_own() -> None:
    found = set()
    for seed in range(20):
        picture = np.zeros((224, 224, 3), np.uint8)
        picture[56:168, 56:168] = np.random.default_rng(seed).integers(0, 256, (112, 112, 3))
        found.add(tensors.fingerprint(raw(picture.tobytes(), 1, 224, 224, 3)))
    assert len(found) == 20


@pytest.mark.parametrize("kind", ["raw", "typed"])
def test_a_fingerprint_looks_at_a_few_thousand_elements_however_many_come(kind: str) -> None:
    def sent(content: bytes) -> pb.ModelInferRequest:
        shape = (1, len(content))
        return raw(content, *shape) if kind == "raw" else request(*shape, uint_contents=[*content])

    plain = bytes(1_000_000)
    between = bytearray(plain)
    between[1:200] = b"\xff" * 199
    assert tensors.fingerprint(sent(bytes(between))) == tensors.fingerprint(sent(plain))


def test_a_request_without_elements_or_with_strings_has_a_fingerprint_too() -> None:
    nothing = tensors.fingerprint(pb.ModelInferRequest())
    assert tensors.fingerprint(request(1, bytes_contents=[b"text"])) == nothing
