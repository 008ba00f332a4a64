from relatedpapers.v1 import paper_pb2 as _paper_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetPaperRequest(_message.Message):
    __slots__ = ("paper_id", "view")
    PAPER_ID_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    paper_id: str
    view: _paper_pb2.PaperView
    def __init__(self, paper_id: _Optional[str] = ..., view: _Optional[_Union[_paper_pb2.PaperView, str]] = ...) -> None: ...

class GetPaperResponse(_message.Message):
    __slots__ = ("paper", "model_version")
    PAPER_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    paper: _paper_pb2.Paper
    model_version: str
    def __init__(self, paper: _Optional[_Union[_paper_pb2.Paper, _Mapping]] = ..., model_version: _Optional[str] = ...) -> None: ...

class BatchGetPapersRequest(_message.Message):
    __slots__ = ("paper_ids", "view")
    PAPER_IDS_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    paper_ids: _containers.RepeatedScalarFieldContainer[str]
    view: _paper_pb2.PaperView
    def __init__(self, paper_ids: _Optional[_Iterable[str]] = ..., view: _Optional[_Union[_paper_pb2.PaperView, str]] = ...) -> None: ...

class BatchGetPapersResponse(_message.Message):
    __slots__ = ("papers", "unknown_paper_ids", "model_version")
    PAPERS_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_PAPER_IDS_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    papers: _containers.RepeatedCompositeFieldContainer[_paper_pb2.Paper]
    unknown_paper_ids: _containers.RepeatedScalarFieldContainer[str]
    model_version: str
    def __init__(self, papers: _Optional[_Iterable[_Union[_paper_pb2.Paper, _Mapping]]] = ..., unknown_paper_ids: _Optional[_Iterable[str]] = ..., model_version: _Optional[str] = ...) -> None: ...
