from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RenderRequest(_message.Message):
    __slots__ = ("analysis",)
    ANALYSIS_FIELD_NUMBER: _ClassVar[int]
    analysis: AnalysisReport
    def __init__(self, analysis: _Optional[_Union[AnalysisReport, _Mapping]] = ...) -> None: ...

class RenderResponse(_message.Message):
    __slots__ = ("pdf", "page_count")
    PDF_FIELD_NUMBER: _ClassVar[int]
    PAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    pdf: bytes
    page_count: int
    def __init__(self, pdf: _Optional[bytes] = ..., page_count: _Optional[int] = ...) -> None: ...

class AnalysisReport(_message.Message):
    __slots__ = ("analysis_id", "created_at", "institution", "patient", "lesion_id", "body_site", "note", "image", "mask_png", "explanation_png", "classification", "segmentation", "quality", "models", "notice")
    ANALYSIS_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    INSTITUTION_FIELD_NUMBER: _ClassVar[int]
    PATIENT_FIELD_NUMBER: _ClassVar[int]
    LESION_ID_FIELD_NUMBER: _ClassVar[int]
    BODY_SITE_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    MASK_PNG_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_PNG_FIELD_NUMBER: _ClassVar[int]
    CLASSIFICATION_FIELD_NUMBER: _ClassVar[int]
    SEGMENTATION_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    analysis_id: str
    created_at: str
    institution: str
    patient: Patient
    lesion_id: str
    body_site: str
    note: str
    image: bytes
    mask_png: bytes
    explanation_png: bytes
    classification: Classification
    segmentation: Segmentation
    quality: Quality
    models: _containers.RepeatedCompositeFieldContainer[Model]
    notice: str
    def __init__(self, analysis_id: _Optional[str] = ..., created_at: _Optional[str] = ..., institution: _Optional[str] = ..., patient: _Optional[_Union[Patient, _Mapping]] = ..., lesion_id: _Optional[str] = ..., body_site: _Optional[str] = ..., note: _Optional[str] = ..., image: _Optional[bytes] = ..., mask_png: _Optional[bytes] = ..., explanation_png: _Optional[bytes] = ..., classification: _Optional[_Union[Classification, _Mapping]] = ..., segmentation: _Optional[_Union[Segmentation, _Mapping]] = ..., quality: _Optional[_Union[Quality, _Mapping]] = ..., models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ..., notice: _Optional[str] = ...) -> None: ...

class Patient(_message.Message):
    __slots__ = ("id", "name")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class Classification(_message.Message):
    __slots__ = ("label", "label_name", "probabilities", "malignant_probability", "suspicious", "suspicious_threshold")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    LABEL_NAME_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    MALIGNANT_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    SUSPICIOUS_FIELD_NUMBER: _ClassVar[int]
    SUSPICIOUS_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    label: str
    label_name: str
    probabilities: _containers.RepeatedCompositeFieldContainer[Probability]
    malignant_probability: float
    suspicious: bool
    suspicious_threshold: float
    def __init__(self, label: _Optional[str] = ..., label_name: _Optional[str] = ..., probabilities: _Optional[_Iterable[_Union[Probability, _Mapping]]] = ..., malignant_probability: _Optional[float] = ..., suspicious: _Optional[bool] = ..., suspicious_threshold: _Optional[float] = ...) -> None: ...

class Probability(_message.Message):
    __slots__ = ("label", "label_name", "probability")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    LABEL_NAME_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    label: str
    label_name: str
    probability: float
    def __init__(self, label: _Optional[str] = ..., label_name: _Optional[str] = ..., probability: _Optional[float] = ...) -> None: ...

class Segmentation(_message.Message):
    __slots__ = ("area_fraction", "asymmetry", "border_irregularity", "color_variegation")
    AREA_FRACTION_FIELD_NUMBER: _ClassVar[int]
    ASYMMETRY_FIELD_NUMBER: _ClassVar[int]
    BORDER_IRREGULARITY_FIELD_NUMBER: _ClassVar[int]
    COLOR_VARIEGATION_FIELD_NUMBER: _ClassVar[int]
    area_fraction: float
    asymmetry: float
    border_irregularity: float
    color_variegation: float
    def __init__(self, area_fraction: _Optional[float] = ..., asymmetry: _Optional[float] = ..., border_irregularity: _Optional[float] = ..., color_variegation: _Optional[float] = ...) -> None: ...

class Quality(_message.Message):
    __slots__ = ("acceptable", "reasons")
    ACCEPTABLE_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    acceptable: bool
    reasons: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, acceptable: _Optional[bool] = ..., reasons: _Optional[_Iterable[str]] = ...) -> None: ...

class Model(_message.Message):
    __slots__ = ("name", "version", "sha256")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    sha256: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., sha256: _Optional[str] = ...) -> None: ...
