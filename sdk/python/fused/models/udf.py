"""The home of UDF objects: `fused.models.udf.Udf`."""

from .._header import Header
from .._udf_object import Udf
from .evaluation import CacheSources, UdfEvaluationResult

# One kind of UDF is left; the other names are those of the base and of the union of all kinds.
AnyBaseUdf = BaseUdf = Udf

__all__ = ["AnyBaseUdf", "BaseUdf", "CacheSources", "Header", "Udf", "UdfEvaluationResult"]
