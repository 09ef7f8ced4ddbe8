"""The doctor: what is wrong with a step of training, in words, with its evidence and what to try."""

from chainrule.explanation.diagnosis.diagnosis import Diagnosis, diagnose
from chainrule.explanation.diagnosis.illness import Finding, Illness
from chainrule.explanation.diagnosis.measures import Flow, ParameterMeasures
from chainrule.explanation.diagnosis.registry import ILLNESSES

__all__ = ["ILLNESSES", "Diagnosis", "Finding", "Flow", "Illness", "ParameterMeasures", "diagnose"]
