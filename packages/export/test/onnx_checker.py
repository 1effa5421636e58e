"""Checks ONNX files with onnx.checker and strict shape inference; prints the outputs' shapes of each as JSON."""

import json
import sys

import onnx


def shape(value):
    return [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]


def check(path):
    onnx.checker.check_model(path, full_check=True)
    model = onnx.shape_inference.infer_shapes(onnx.load(path), check_type=True, strict_mode=True, data_prop=True)
    values = [*model.graph.value_info, *model.graph.output]
    return {value.name: shape(value) for value in values}


print(json.dumps([check(path) for path in sys.argv[1:]]))
