from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Priority(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRIORITY_UNSPECIFIED: _ClassVar[Priority]
    PRIORITY_INTERACTIVE: _ClassVar[Priority]
    PRIORITY_BULK: _ClassVar[Priority]

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_ASSESSED: _ClassVar[Outcome]
    OUTCOME_CANNOT_ASSESS: _ClassVar[Outcome]

class Label(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LABEL_UNSPECIFIED: _ClassVar[Label]
    LABEL_AKIEC: _ClassVar[Label]
    LABEL_BCC: _ClassVar[Label]
    LABEL_BKL: _ClassVar[Label]
    LABEL_DF: _ClassVar[Label]
    LABEL_MEL: _ClassVar[Label]
    LABEL_NV: _ClassVar[Label]
    LABEL_VASC: _ClassVar[Label]

class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REASON_UNSPECIFIED: _ClassVar[Reason]
    REASON_TOO_SMALL: _ClassVar[Reason]
    REASON_TOO_DARK: _ClassVar[Reason]
    REASON_TOO_BRIGHT: _ClassVar[Reason]
    REASON_LOW_CONTRAST: _ClassVar[Reason]
    REASON_BLURRED: _ClassVar[Reason]
    REASON_NO_LESION: _ClassVar[Reason]
    REASON_NOT_DERMOSCOPY: _ClassVar[Reason]

class VersionLabel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERSION_LABEL_UNSPECIFIED: _ClassVar[VersionLabel]
    VERSION_LABEL_STABLE: _ClassVar[VersionLabel]
    VERSION_LABEL_CANARY: _ClassVar[VersionLabel]
    VERSION_LABEL_SHADOW: _ClassVar[VersionLabel]

class VersionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERSION_STATE_UNSPECIFIED: _ClassVar[VersionState]
    VERSION_STATE_LOADING: _ClassVar[VersionState]
    VERSION_STATE_SERVING: _ClassVar[VersionState]
    VERSION_STATE_DRAINING: _ClassVar[VersionState]
    VERSION_STATE_REFUSED: _ClassVar[VersionState]
PRIORITY_UNSPECIFIED: Priority
PRIORITY_INTERACTIVE: Priority
PRIORITY_BULK: Priority
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_ASSESSED: Outcome
OUTCOME_CANNOT_ASSESS: Outcome
LABEL_UNSPECIFIED: Label
LABEL_AKIEC: Label
LABEL_BCC: Label
LABEL_BKL: Label
LABEL_DF: Label
LABEL_MEL: Label
LABEL_NV: Label
LABEL_VASC: Label
REASON_UNSPECIFIED: Reason
REASON_TOO_SMALL: Reason
REASON_TOO_DARK: Reason
REASON_TOO_BRIGHT: Reason
REASON_LOW_CONTRAST: Reason
REASON_BLURRED: Reason
REASON_NO_LESION: Reason
REASON_NOT_DERMOSCOPY: Reason
VERSION_LABEL_UNSPECIFIED: VersionLabel
VERSION_LABEL_STABLE: VersionLabel
VERSION_LABEL_CANARY: VersionLabel
VERSION_LABEL_SHADOW: VersionLabel
VERSION_STATE_UNSPECIFIED: VersionState
VERSION_STATE_LOADING: VersionState
VERSION_STATE_SERVING: VersionState
VERSION_STATE_DRAINING: VersionState
VERSION_STATE_REFUSED: VersionState

class AnalyzeRequest(_message.Message):
    __slots__ = ("image", "options")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    image: bytes
    options: AnalyzeOptions
    def __init__(self, image: _Optional[bytes] = ..., options: _Optional[_Union[AnalyzeOptions, _Mapping]] = ...) -> None: ...

class AnalyzeOptions(_message.Message):
    __slots__ = ("omit_mask", "omit_explanation", "priority")
    OMIT_MASK_FIELD_NUMBER: _ClassVar[int]
    OMIT_EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    omit_mask: bool
    omit_explanation: bool
    priority: Priority
    def __init__(self, omit_mask: _Optional[bool] = ..., omit_explanation: _Optional[bool] = ..., priority: _Optional[_Union[Priority, str]] = ...) -> None: ...

class AnalyzeResponse(_message.Message):
    __slots__ = ("outcome", "image", "classification", "segmentation", "quality", "models", "timings", "notice", "method")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    CLASSIFICATION_FIELD_NUMBER: _ClassVar[int]
    SEGMENTATION_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    TIMINGS_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    outcome: Outcome
    image: ImageInfo
    classification: Classification
    segmentation: Segmentation
    quality: Quality
    models: _containers.RepeatedCompositeFieldContainer[ModelInfo]
    timings: Timings
    notice: str
    method: Method
    def __init__(self, outcome: _Optional[_Union[Outcome, str]] = ..., image: _Optional[_Union[ImageInfo, _Mapping]] = ..., classification: _Optional[_Union[Classification, _Mapping]] = ..., segmentation: _Optional[_Union[Segmentation, _Mapping]] = ..., quality: _Optional[_Union[Quality, _Mapping]] = ..., models: _Optional[_Iterable[_Union[ModelInfo, _Mapping]]] = ..., timings: _Optional[_Union[Timings, _Mapping]] = ..., notice: _Optional[str] = ..., method: _Optional[_Union[Method, _Mapping]] = ...) -> None: ...

class Method(_message.Message):
    __slots__ = ("preprocessing", "thresholds")
    class ThresholdsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    PREPROCESSING_FIELD_NUMBER: _ClassVar[int]
    THRESHOLDS_FIELD_NUMBER: _ClassVar[int]
    preprocessing: str
    thresholds: _containers.ScalarMap[str, float]
    def __init__(self, preprocessing: _Optional[str] = ..., thresholds: _Optional[_Mapping[str, float]] = ...) -> None: ...

class ImageInfo(_message.Message):
    __slots__ = ("width_px", "height_px", "format")
    WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    width_px: int
    height_px: int
    format: str
    def __init__(self, width_px: _Optional[int] = ..., height_px: _Optional[int] = ..., format: _Optional[str] = ...) -> None: ...

class Classification(_message.Message):
    __slots__ = ("label", "probabilities", "malignant_probability", "suspicious", "suspicious_threshold", "explanation_png")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    MALIGNANT_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    SUSPICIOUS_FIELD_NUMBER: _ClassVar[int]
    SUSPICIOUS_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_PNG_FIELD_NUMBER: _ClassVar[int]
    label: Label
    probabilities: _containers.RepeatedCompositeFieldContainer[LabelProbability]
    malignant_probability: float
    suspicious: bool
    suspicious_threshold: float
    explanation_png: bytes
    def __init__(self, label: _Optional[_Union[Label, str]] = ..., probabilities: _Optional[_Iterable[_Union[LabelProbability, _Mapping]]] = ..., malignant_probability: _Optional[float] = ..., suspicious: _Optional[bool] = ..., suspicious_threshold: _Optional[float] = ..., explanation_png: _Optional[bytes] = ...) -> None: ...

class LabelProbability(_message.Message):
    __slots__ = ("label", "probability")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    label: Label
    probability: float
    def __init__(self, label: _Optional[_Union[Label, str]] = ..., probability: _Optional[float] = ...) -> None: ...

class Segmentation(_message.Message):
    __slots__ = ("mask_png", "area_fraction", "bounding_box", "asymmetry", "border_irregularity", "color_variegation", "outline_px")
    MASK_PNG_FIELD_NUMBER: _ClassVar[int]
    AREA_FRACTION_FIELD_NUMBER: _ClassVar[int]
    BOUNDING_BOX_FIELD_NUMBER: _ClassVar[int]
    ASYMMETRY_FIELD_NUMBER: _ClassVar[int]
    BORDER_IRREGULARITY_FIELD_NUMBER: _ClassVar[int]
    COLOR_VARIEGATION_FIELD_NUMBER: _ClassVar[int]
    OUTLINE_PX_FIELD_NUMBER: _ClassVar[int]
    mask_png: bytes
    area_fraction: float
    bounding_box: BoundingBox
    asymmetry: float
    border_irregularity: float
    color_variegation: float
    outline_px: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, mask_png: _Optional[bytes] = ..., area_fraction: _Optional[float] = ..., bounding_box: _Optional[_Union[BoundingBox, _Mapping]] = ..., asymmetry: _Optional[float] = ..., border_irregularity: _Optional[float] = ..., color_variegation: _Optional[float] = ..., outline_px: _Optional[_Iterable[int]] = ...) -> None: ...

class BoundingBox(_message.Message):
    __slots__ = ("x_px", "y_px", "width_px", "height_px")
    X_PX_FIELD_NUMBER: _ClassVar[int]
    Y_PX_FIELD_NUMBER: _ClassVar[int]
    WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    x_px: int
    y_px: int
    width_px: int
    height_px: int
    def __init__(self, x_px: _Optional[int] = ..., y_px: _Optional[int] = ..., width_px: _Optional[int] = ..., height_px: _Optional[int] = ...) -> None: ...

class Quality(_message.Message):
    __slots__ = ("acceptable", "reasons", "brightness", "contrast", "sharpness")
    ACCEPTABLE_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    BRIGHTNESS_FIELD_NUMBER: _ClassVar[int]
    CONTRAST_FIELD_NUMBER: _ClassVar[int]
    SHARPNESS_FIELD_NUMBER: _ClassVar[int]
    acceptable: bool
    reasons: _containers.RepeatedScalarFieldContainer[Reason]
    brightness: float
    contrast: float
    sharpness: float
    def __init__(self, acceptable: _Optional[bool] = ..., reasons: _Optional[_Iterable[_Union[Reason, str]]] = ..., brightness: _Optional[float] = ..., contrast: _Optional[float] = ..., sharpness: _Optional[float] = ...) -> None: ...

class ModelInfo(_message.Message):
    __slots__ = ("name", "version", "sha256", "execution_provider", "metrics", "evaluated_on", "labels", "version_label", "version_state", "traffic_share", "precision", "variant_of", "intervals", "classifier_evaluation")
    class MetricsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    class IntervalsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Interval
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Interval, _Mapping]] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_PROVIDER_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    EVALUATED_ON_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    VERSION_LABEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_STATE_FIELD_NUMBER: _ClassVar[int]
    TRAFFIC_SHARE_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    VARIANT_OF_FIELD_NUMBER: _ClassVar[int]
    INTERVALS_FIELD_NUMBER: _ClassVar[int]
    CLASSIFIER_EVALUATION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    sha256: str
    execution_provider: str
    metrics: _containers.ScalarMap[str, float]
    evaluated_on: str
    labels: _containers.RepeatedScalarFieldContainer[str]
    version_label: VersionLabel
    version_state: VersionState
    traffic_share: float
    precision: str
    variant_of: str
    intervals: _containers.MessageMap[str, Interval]
    classifier_evaluation: ClassifierEvaluation
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., sha256: _Optional[str] = ..., execution_provider: _Optional[str] = ..., metrics: _Optional[_Mapping[str, float]] = ..., evaluated_on: _Optional[str] = ..., labels: _Optional[_Iterable[str]] = ..., version_label: _Optional[_Union[VersionLabel, str]] = ..., version_state: _Optional[_Union[VersionState, str]] = ..., traffic_share: _Optional[float] = ..., precision: _Optional[str] = ..., variant_of: _Optional[str] = ..., intervals: _Optional[_Mapping[str, Interval]] = ..., classifier_evaluation: _Optional[_Union[ClassifierEvaluation, _Mapping]] = ...) -> None: ...

class Interval(_message.Message):
    __slots__ = ("low", "high")
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    low: float
    high: float
    def __init__(self, low: _Optional[float] = ..., high: _Optional[float] = ...) -> None: ...

class Estimate(_message.Message):
    __slots__ = ("value", "interval")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    value: float
    interval: Interval
    def __init__(self, value: _Optional[float] = ..., interval: _Optional[_Union[Interval, _Mapping]] = ...) -> None: ...

class ClassifierEvaluation(_message.Message):
    __slots__ = ("pictures", "lesions", "labels", "label_reliability", "malignant_reliability")
    PICTURES_FIELD_NUMBER: _ClassVar[int]
    LESIONS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    LABEL_RELIABILITY_FIELD_NUMBER: _ClassVar[int]
    MALIGNANT_RELIABILITY_FIELD_NUMBER: _ClassVar[int]
    pictures: int
    lesions: int
    labels: _containers.RepeatedCompositeFieldContainer[LabelEvaluation]
    label_reliability: Reliability
    malignant_reliability: Reliability
    def __init__(self, pictures: _Optional[int] = ..., lesions: _Optional[int] = ..., labels: _Optional[_Iterable[_Union[LabelEvaluation, _Mapping]]] = ..., label_reliability: _Optional[_Union[Reliability, _Mapping]] = ..., malignant_reliability: _Optional[_Union[Reliability, _Mapping]] = ...) -> None: ...

class LabelEvaluation(_message.Message):
    __slots__ = ("label", "pictures", "sensitivity", "specificity", "auc", "given")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    PICTURES_FIELD_NUMBER: _ClassVar[int]
    SENSITIVITY_FIELD_NUMBER: _ClassVar[int]
    SPECIFICITY_FIELD_NUMBER: _ClassVar[int]
    AUC_FIELD_NUMBER: _ClassVar[int]
    GIVEN_FIELD_NUMBER: _ClassVar[int]
    label: str
    pictures: int
    sensitivity: Estimate
    specificity: Estimate
    auc: Estimate
    given: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, label: _Optional[str] = ..., pictures: _Optional[int] = ..., sensitivity: _Optional[_Union[Estimate, _Mapping]] = ..., specificity: _Optional[_Union[Estimate, _Mapping]] = ..., auc: _Optional[_Union[Estimate, _Mapping]] = ..., given: _Optional[_Iterable[int]] = ...) -> None: ...

class Reliability(_message.Message):
    __slots__ = ("calibration_error", "bins")
    CALIBRATION_ERROR_FIELD_NUMBER: _ClassVar[int]
    BINS_FIELD_NUMBER: _ClassVar[int]
    calibration_error: Estimate
    bins: _containers.RepeatedCompositeFieldContainer[ReliabilityBin]
    def __init__(self, calibration_error: _Optional[_Union[Estimate, _Mapping]] = ..., bins: _Optional[_Iterable[_Union[ReliabilityBin, _Mapping]]] = ...) -> None: ...

class ReliabilityBin(_message.Message):
    __slots__ = ("low", "high", "pictures", "mean_probability", "frequency")
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    PICTURES_FIELD_NUMBER: _ClassVar[int]
    MEAN_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    FREQUENCY_FIELD_NUMBER: _ClassVar[int]
    low: float
    high: float
    pictures: int
    mean_probability: float
    frequency: Estimate
    def __init__(self, low: _Optional[float] = ..., high: _Optional[float] = ..., pictures: _Optional[int] = ..., mean_probability: _Optional[float] = ..., frequency: _Optional[_Union[Estimate, _Mapping]] = ...) -> None: ...

class Timings(_message.Message):
    __slots__ = ("queue_ms", "run_ms", "total_ms")
    QUEUE_MS_FIELD_NUMBER: _ClassVar[int]
    RUN_MS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_MS_FIELD_NUMBER: _ClassVar[int]
    queue_ms: float
    run_ms: float
    total_ms: float
    def __init__(self, queue_ms: _Optional[float] = ..., run_ms: _Optional[float] = ..., total_ms: _Optional[float] = ...) -> None: ...

class AnalyzeStreamRequest(_message.Message):
    __slots__ = ("id", "request")
    ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    id: str
    request: AnalyzeRequest
    def __init__(self, id: _Optional[str] = ..., request: _Optional[_Union[AnalyzeRequest, _Mapping]] = ...) -> None: ...

class AnalyzeStreamResponse(_message.Message):
    __slots__ = ("id", "response", "error")
    ID_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    id: str
    response: AnalyzeResponse
    error: StreamError
    def __init__(self, id: _Optional[str] = ..., response: _Optional[_Union[AnalyzeResponse, _Mapping]] = ..., error: _Optional[_Union[StreamError, _Mapping]] = ...) -> None: ...

class StreamError(_message.Message):
    __slots__ = ("code", "message", "retry_pushback_ms", "reason")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RETRY_PUSHBACK_MS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    retry_pushback_ms: int
    reason: str
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., retry_pushback_ms: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models", "pending")
    MODELS_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[ModelInfo]
    pending: _containers.RepeatedCompositeFieldContainer[ModelPending]
    def __init__(self, models: _Optional[_Iterable[_Union[ModelInfo, _Mapping]]] = ..., pending: _Optional[_Iterable[_Union[ModelPending, _Mapping]]] = ...) -> None: ...

class ModelPending(_message.Message):
    __slots__ = ("name", "version", "version_label", "version_state", "reason")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    VERSION_LABEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    version_label: VersionLabel
    version_state: VersionState
    reason: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., version_label: _Optional[_Union[VersionLabel, str]] = ..., version_state: _Optional[_Union[VersionState, str]] = ..., reason: _Optional[str] = ...) -> None: ...
