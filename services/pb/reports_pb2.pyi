from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RenderRequest(_message.Message):
    __slots__ = ("analysis", "lesion", "batch", "language")
    ANALYSIS_FIELD_NUMBER: _ClassVar[int]
    LESION_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    analysis: AnalysisReport
    lesion: LesionReport
    batch: BatchReport
    language: str
    def __init__(self, analysis: _Optional[_Union[AnalysisReport, _Mapping]] = ..., lesion: _Optional[_Union[LesionReport, _Mapping]] = ..., batch: _Optional[_Union[BatchReport, _Mapping]] = ..., language: _Optional[str] = ...) -> None: ...

class RenderResponse(_message.Message):
    __slots__ = ("pdf", "page_count")
    PDF_FIELD_NUMBER: _ClassVar[int]
    PAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    pdf: bytes
    page_count: int
    def __init__(self, pdf: _Optional[bytes] = ..., page_count: _Optional[int] = ...) -> None: ...

class AnalysisReport(_message.Message):
    __slots__ = ("analysis_id", "created_at", "institution", "patient", "lesion_id", "body_site", "note", "image", "mask_png", "explanation_png", "classification", "segmentation", "quality", "models", "notice", "logo", "record_url", "image_sha256", "mask_sha256", "preprocessing", "assessment", "earlier", "narrative", "requested_at")
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
    LOGO_FIELD_NUMBER: _ClassVar[int]
    RECORD_URL_FIELD_NUMBER: _ClassVar[int]
    IMAGE_SHA256_FIELD_NUMBER: _ClassVar[int]
    MASK_SHA256_FIELD_NUMBER: _ClassVar[int]
    PREPROCESSING_FIELD_NUMBER: _ClassVar[int]
    ASSESSMENT_FIELD_NUMBER: _ClassVar[int]
    EARLIER_FIELD_NUMBER: _ClassVar[int]
    NARRATIVE_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_AT_FIELD_NUMBER: _ClassVar[int]
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
    logo: bytes
    record_url: str
    image_sha256: str
    mask_sha256: str
    preprocessing: str
    assessment: Assessment
    earlier: _containers.RepeatedCompositeFieldContainer[AnalysisSummary]
    narrative: Narrative
    requested_at: str
    def __init__(self, analysis_id: _Optional[str] = ..., created_at: _Optional[str] = ..., institution: _Optional[str] = ..., patient: _Optional[_Union[Patient, _Mapping]] = ..., lesion_id: _Optional[str] = ..., body_site: _Optional[str] = ..., note: _Optional[str] = ..., image: _Optional[bytes] = ..., mask_png: _Optional[bytes] = ..., explanation_png: _Optional[bytes] = ..., classification: _Optional[_Union[Classification, _Mapping]] = ..., segmentation: _Optional[_Union[Segmentation, _Mapping]] = ..., quality: _Optional[_Union[Quality, _Mapping]] = ..., models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ..., notice: _Optional[str] = ..., logo: _Optional[bytes] = ..., record_url: _Optional[str] = ..., image_sha256: _Optional[str] = ..., mask_sha256: _Optional[str] = ..., preprocessing: _Optional[str] = ..., assessment: _Optional[_Union[Assessment, _Mapping]] = ..., earlier: _Optional[_Iterable[_Union[AnalysisSummary, _Mapping]]] = ..., narrative: _Optional[_Union[Narrative, _Mapping]] = ..., requested_at: _Optional[str] = ...) -> None: ...

class LesionReport(_message.Message):
    __slots__ = ("lesion_id", "created_at", "institution", "logo", "patient", "body_site", "record_url", "analyses", "models", "narrative", "notice")
    LESION_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    INSTITUTION_FIELD_NUMBER: _ClassVar[int]
    LOGO_FIELD_NUMBER: _ClassVar[int]
    PATIENT_FIELD_NUMBER: _ClassVar[int]
    BODY_SITE_FIELD_NUMBER: _ClassVar[int]
    RECORD_URL_FIELD_NUMBER: _ClassVar[int]
    ANALYSES_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    NARRATIVE_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    lesion_id: str
    created_at: str
    institution: str
    logo: bytes
    patient: Patient
    body_site: str
    record_url: str
    analyses: _containers.RepeatedCompositeFieldContainer[AnalysisSummary]
    models: _containers.RepeatedCompositeFieldContainer[Model]
    narrative: Narrative
    notice: str
    def __init__(self, lesion_id: _Optional[str] = ..., created_at: _Optional[str] = ..., institution: _Optional[str] = ..., logo: _Optional[bytes] = ..., patient: _Optional[_Union[Patient, _Mapping]] = ..., body_site: _Optional[str] = ..., record_url: _Optional[str] = ..., analyses: _Optional[_Iterable[_Union[AnalysisSummary, _Mapping]]] = ..., models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ..., narrative: _Optional[_Union[Narrative, _Mapping]] = ..., notice: _Optional[str] = ...) -> None: ...

class BatchReport(_message.Message):
    __slots__ = ("batch_id", "created_at", "institution", "logo", "record_url", "rows", "models", "notice")
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    INSTITUTION_FIELD_NUMBER: _ClassVar[int]
    LOGO_FIELD_NUMBER: _ClassVar[int]
    RECORD_URL_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    batch_id: str
    created_at: str
    institution: str
    logo: bytes
    record_url: str
    rows: _containers.RepeatedCompositeFieldContainer[BatchRow]
    models: _containers.RepeatedCompositeFieldContainer[Model]
    notice: str
    def __init__(self, batch_id: _Optional[str] = ..., created_at: _Optional[str] = ..., institution: _Optional[str] = ..., logo: _Optional[bytes] = ..., record_url: _Optional[str] = ..., rows: _Optional[_Iterable[_Union[BatchRow, _Mapping]]] = ..., models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ..., notice: _Optional[str] = ...) -> None: ...

class BatchRow(_message.Message):
    __slots__ = ("name", "patient_id", "lesion_id", "body_site", "analysis", "failure")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    LESION_ID_FIELD_NUMBER: _ClassVar[int]
    BODY_SITE_FIELD_NUMBER: _ClassVar[int]
    ANALYSIS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    name: str
    patient_id: str
    lesion_id: str
    body_site: str
    analysis: AnalysisSummary
    failure: str
    def __init__(self, name: _Optional[str] = ..., patient_id: _Optional[str] = ..., lesion_id: _Optional[str] = ..., body_site: _Optional[str] = ..., analysis: _Optional[_Union[AnalysisSummary, _Mapping]] = ..., failure: _Optional[str] = ...) -> None: ...

class AnalysisSummary(_message.Message):
    __slots__ = ("analysis_id", "created_at", "image", "mask_png", "prediction", "quality_reasons", "area_fraction", "assessment", "no_picture")
    class NoPicture(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        NO_PICTURE_UNSPECIFIED: _ClassVar[AnalysisSummary.NoPicture]
        NO_PICTURE_OUT_OF_TIME: _ClassVar[AnalysisSummary.NoPicture]
        NO_PICTURE_LOST: _ClassVar[AnalysisSummary.NoPicture]
    NO_PICTURE_UNSPECIFIED: AnalysisSummary.NoPicture
    NO_PICTURE_OUT_OF_TIME: AnalysisSummary.NoPicture
    NO_PICTURE_LOST: AnalysisSummary.NoPicture
    ANALYSIS_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    MASK_PNG_FIELD_NUMBER: _ClassVar[int]
    PREDICTION_FIELD_NUMBER: _ClassVar[int]
    QUALITY_REASONS_FIELD_NUMBER: _ClassVar[int]
    AREA_FRACTION_FIELD_NUMBER: _ClassVar[int]
    ASSESSMENT_FIELD_NUMBER: _ClassVar[int]
    NO_PICTURE_FIELD_NUMBER: _ClassVar[int]
    analysis_id: str
    created_at: str
    image: bytes
    mask_png: bytes
    prediction: Prediction
    quality_reasons: _containers.RepeatedScalarFieldContainer[str]
    area_fraction: float
    assessment: Assessment
    no_picture: AnalysisSummary.NoPicture
    def __init__(self, analysis_id: _Optional[str] = ..., created_at: _Optional[str] = ..., image: _Optional[bytes] = ..., mask_png: _Optional[bytes] = ..., prediction: _Optional[_Union[Prediction, _Mapping]] = ..., quality_reasons: _Optional[_Iterable[str]] = ..., area_fraction: _Optional[float] = ..., assessment: _Optional[_Union[Assessment, _Mapping]] = ..., no_picture: _Optional[_Union[AnalysisSummary.NoPicture, str]] = ...) -> None: ...

class Prediction(_message.Message):
    __slots__ = ("label", "label_name", "malignant_probability", "suspicious")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    LABEL_NAME_FIELD_NUMBER: _ClassVar[int]
    MALIGNANT_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    SUSPICIOUS_FIELD_NUMBER: _ClassVar[int]
    label: str
    label_name: str
    malignant_probability: float
    suspicious: bool
    def __init__(self, label: _Optional[str] = ..., label_name: _Optional[str] = ..., malignant_probability: _Optional[float] = ..., suspicious: _Optional[bool] = ...) -> None: ...

class Assessment(_message.Message):
    __slots__ = ("clinician", "assessed_at", "agrees", "label", "label_name", "reason")
    CLINICIAN_FIELD_NUMBER: _ClassVar[int]
    ASSESSED_AT_FIELD_NUMBER: _ClassVar[int]
    AGREES_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    LABEL_NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    clinician: str
    assessed_at: str
    agrees: bool
    label: str
    label_name: str
    reason: str
    def __init__(self, clinician: _Optional[str] = ..., assessed_at: _Optional[str] = ..., agrees: _Optional[bool] = ..., label: _Optional[str] = ..., label_name: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class Narrative(_message.Message):
    __slots__ = ("text", "author", "written_by")
    class Author(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        AUTHOR_UNSPECIFIED: _ClassVar[Narrative.Author]
        AUTHOR_MACHINE: _ClassVar[Narrative.Author]
        AUTHOR_TEMPLATE: _ClassVar[Narrative.Author]
    AUTHOR_UNSPECIFIED: Narrative.Author
    AUTHOR_MACHINE: Narrative.Author
    AUTHOR_TEMPLATE: Narrative.Author
    TEXT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_BY_FIELD_NUMBER: _ClassVar[int]
    text: str
    author: Narrative.Author
    written_by: str
    def __init__(self, text: _Optional[str] = ..., author: _Optional[_Union[Narrative.Author, str]] = ..., written_by: _Optional[str] = ...) -> None: ...

class Patient(_message.Message):
    __slots__ = ("id", "name", "birth_date", "sex")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    BIRTH_DATE_FIELD_NUMBER: _ClassVar[int]
    SEX_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    birth_date: str
    sex: str
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., birth_date: _Optional[str] = ..., sex: _Optional[str] = ...) -> None: ...

class Classification(_message.Message):
    __slots__ = ("label", "label_name", "probabilities", "malignant_probability", "suspicious", "suspicious_threshold", "operating_point")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    LABEL_NAME_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    MALIGNANT_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    SUSPICIOUS_FIELD_NUMBER: _ClassVar[int]
    SUSPICIOUS_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    OPERATING_POINT_FIELD_NUMBER: _ClassVar[int]
    label: str
    label_name: str
    probabilities: _containers.RepeatedCompositeFieldContainer[Probability]
    malignant_probability: float
    suspicious: bool
    suspicious_threshold: float
    operating_point: OperatingPoint
    def __init__(self, label: _Optional[str] = ..., label_name: _Optional[str] = ..., probabilities: _Optional[_Iterable[_Union[Probability, _Mapping]]] = ..., malignant_probability: _Optional[float] = ..., suspicious: _Optional[bool] = ..., suspicious_threshold: _Optional[float] = ..., operating_point: _Optional[_Union[OperatingPoint, _Mapping]] = ...) -> None: ...

class OperatingPoint(_message.Message):
    __slots__ = ("sensitivity", "specificity", "measured_on", "sensitivity_interval", "specificity_interval")
    SENSITIVITY_FIELD_NUMBER: _ClassVar[int]
    SPECIFICITY_FIELD_NUMBER: _ClassVar[int]
    MEASURED_ON_FIELD_NUMBER: _ClassVar[int]
    SENSITIVITY_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    SPECIFICITY_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    sensitivity: float
    specificity: float
    measured_on: str
    sensitivity_interval: Interval
    specificity_interval: Interval
    def __init__(self, sensitivity: _Optional[float] = ..., specificity: _Optional[float] = ..., measured_on: _Optional[str] = ..., sensitivity_interval: _Optional[_Union[Interval, _Mapping]] = ..., specificity_interval: _Optional[_Union[Interval, _Mapping]] = ...) -> None: ...

class Interval(_message.Message):
    __slots__ = ("low", "high")
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    low: float
    high: float
    def __init__(self, low: _Optional[float] = ..., high: _Optional[float] = ...) -> None: ...

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
    __slots__ = ("name", "version", "sha256", "execution_provider", "precision", "metrics", "evaluated_on")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_PROVIDER_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    EVALUATED_ON_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    sha256: str
    execution_provider: str
    precision: str
    metrics: _containers.RepeatedCompositeFieldContainer[Metric]
    evaluated_on: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., sha256: _Optional[str] = ..., execution_provider: _Optional[str] = ..., precision: _Optional[str] = ..., metrics: _Optional[_Iterable[_Union[Metric, _Mapping]]] = ..., evaluated_on: _Optional[str] = ...) -> None: ...

class Metric(_message.Message):
    __slots__ = ("name", "value", "interval")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: float
    interval: Interval
    def __init__(self, name: _Optional[str] = ..., value: _Optional[float] = ..., interval: _Optional[_Union[Interval, _Mapping]] = ...) -> None: ...
