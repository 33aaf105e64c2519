"""What a card says in words; no figure of an evaluation stands here."""

from __future__ import annotations

USE = {
    "classifier": (
        "Gives a dermoscopic picture of one skin lesion a calibrated probability for each of "
        "seven kinds of lesion, a map of the evidence for each, and an embedding. It is made "
        "for research and for supporting people who are trained to read dermoscopy; they see "
        "the picture, the outline and the map beside every number."
    ),
    "segmenter": (
        "Outlines the lesion in a dermoscopic picture: for every pixel the probability that it "
        "belongs to the lesion. It is made for research, for measuring lesions and for showing "
        "a trained reader what the measures refer to."
    ),
}

OUT_OF_SCOPE = (
    "Diagnosis, triage without a trained reader, and telling anybody that nothing is wrong.",
    (
        "Pictures that are not dermoscopy: clinical photographs, telephone pictures without a "
        "dermatoscope, histology."
    ),
    (
        "Lesions outside the seven kinds (squamous cell carcinoma beyond akiec, for example): the "
        "model must still name one of its seven."
    ),
    "Nails, mucosa and lesions larger than the frame, which the data hardly holds.",
)

DATA = (
    (
        "HAM10000 (ViDIR Group, Medical University of Vienna; CC BY-NC 4.0). Philipp Tschandl, "
        "Cliff Rosendahl, Harald Kittler: The HAM10000 dataset, a large collection of multi-source "
        "dermatoscopic images of common pigmented skin lesions. Scientific Data 5, 180161 (2018)."
    ),
    (
        "Lesion masks for HAM10000: Philipp Tschandl et al.: Human-computer collaboration for skin "
        "cancer recognition. Nature Medicine 26 (2020)."
    ),
    (
        "ISIC 2018 challenge: Noel Codella et al., arXiv:1902.03368. ISIC 2017 challenge: Noel "
        "Codella et al., arXiv:1710.05006."
    ),
    "ImageNet-1k weights of EfficientNet-Lite0 (Apache-2.0) as the starting point.",
)

LIMITS = (
    (
        "Not evaluated by skin tone: it is not recorded in the data, which comes mostly from "
        "lightly pigmented skin in Austria and Australia. How well the model does on dark skin is "
        "unknown."
    ),
    (
        "HAM10000's masks were drawn semi-automatically and are easier than hand-drawn ones; the "
        "figures on ISIC 2017 are the sterner test."
    ),
    (
        "Whole frames are squashed to a square, whatever their shape. Training did the same with "
        "frames of 4:3; other shapes are distorted differently."
    ),
    (
        "Training pictures were stored small. Detail finer than the model's input is lost before "
        "it can count."
    ),
    (
        "The vascular lesions reached the training set on another road than the other labels; "
        "their recall on centre crops, where all labels were processed alike, is given separately."
    ),
    "The test pictures come from the same clinics as the training pictures. Expect less elsewhere.",
)

LICENSE = (
    "The code is under Apache-2.0. The training data is licensed for non-commercial use; whether "
    "and how that binds weights learned from it is an open legal question. Settle it before any "
    "commercial use."
)

NAMES = {
    "balanced_accuracy": "Balanced multiclass accuracy",
    "accuracy": "Accuracy",
    "macro_auc": "Macro AUC",
    "expected_calibration_error": "Expected calibration error (15 bins)",
    "malignant_calibration_error": "Calibration error of malignancy (15 bins)",
    "malignant_brier_score": "Brier score of malignancy",
    "negative_log_likelihood": "Negative log-likelihood",
    "mean_dice": "Mean Dice",
    "mean_jaccard": "Mean Jaccard",
    "thresholded_jaccard": "Thresholded Jaccard (0 below 0.65)",
    "share_below_threshold": "Share of pictures below 0.65 Jaccard",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "precision": "precision",
    "auc": "AUC",
    "melanoma_sensitivity": "sensitivity for melanoma",
}
"""What figures are called in tables."""

SPLITS = {
    "report_fold": "HAM10000 fold 4 (report)",
    "validation_fold": "HAM10000 fold 3 (early stopping, calibration and thresholds)",
    "isic2017_validation": "ISIC 2017 validation",
}
"""What the parts of the data are called in tables."""

TITLES = {
    "report_fold": "HAM10000 fold 4",
    "isic2017_validation": "ISIC 2017 validation",
}
"""The same where there is little room."""
