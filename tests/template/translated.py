"""The template as CloudFormation gets it: translated by SAM, with the given parameters."""

import copy
import json
from functools import cache
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from tests.template.sam import template

REGION = "us-east-1"
BUCKET = "artifacts"

Resources = dict[str, dict[str, Any]]


def translated(layer: str = "layer", **parameters: Any) -> dict[str, Any]:
    """The template after SAM's translation. layer: the key of the layer's content in its bucket."""
    return copy.deepcopy(_translated(layer, json.dumps(parameters)))


def resources(*types: str) -> Resources:
    """The resources of these types, or all of them, by logical ID."""
    found: Resources = translated()["Resources"]
    return {name: one for name, one in found.items() if one["Type"] in types or not types}


def packaged(layer: str) -> dict[str, Any]:
    """The template after `sam package`, which uploads the code to a bucket."""
    packed = copy.deepcopy(template())
    for name, resource in packed["Resources"].items():
        for key in {"CodeUri", "ContentUri", "Code"} & resource.get("Properties", {}).keys():
            content = {"Bucket": BUCKET, "Key": layer if key == "ContentUri" else name}
            if key == "Code":
                content = {"S3Bucket": BUCKET, "S3Key": name}
            resource["Properties"][key] = content
    return packed


@cache
def _translated(layer: str, parameters: str) -> dict[str, Any]:
    source = packaged(layer)
    defaults = {name: one.get("Default", "") for name, one in source["Parameters"].items()}
    session = boto3.Session(region_name=REGION)
    # JSON turns SAM's types into plain ones.
    made = Translator({}, Parser(), boto_session=session).translate(source, {**defaults, **json.loads(parameters)})
    plain: dict[str, Any] = json.loads(json.dumps(made))
    return plain
