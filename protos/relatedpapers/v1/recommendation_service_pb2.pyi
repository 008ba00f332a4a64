import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from relatedpapers.v1 import paper_pb2 as _paper_pb2
from relatedpapers.v1 import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ResultSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESULT_SOURCE_UNSPECIFIED: _ClassVar[ResultSource]
    RESULT_SOURCE_MODEL: _ClassVar[ResultSource]
    RESULT_SOURCE_TEXT_FALLBACK: _ClassVar[ResultSource]
    RESULT_SOURCE_POPULAR_FALLBACK: _ClassVar[ResultSource]
    RESULT_SOURCE_TRENDING: _ClassVar[ResultSource]
RESULT_SOURCE_UNSPECIFIED: ResultSource
RESULT_SOURCE_MODEL: ResultSource
RESULT_SOURCE_TEXT_FALLBACK: ResultSource
RESULT_SOURCE_POPULAR_FALLBACK: ResultSource
RESULT_SOURCE_TRENDING: ResultSource

class ListRelatedPapersRequest(_message.Message):
    __slots__ = ("paper_ids", "negative_paper_ids", "draft", "filter", "negative_weight", "diversity", "popularity", "view", "include_evidence", "page_size", "page_token", "reader_id", "exclude_seen")
    PAPER_IDS_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_PAPER_IDS_FIELD_NUMBER: _ClassVar[int]
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    DIVERSITY_FIELD_NUMBER: _ClassVar[int]
    POPULARITY_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    READER_ID_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_SEEN_FIELD_NUMBER: _ClassVar[int]
    paper_ids: _containers.RepeatedScalarFieldContainer[str]
    negative_paper_ids: _containers.RepeatedScalarFieldContainer[str]
    draft: Draft
    filter: PaperFilter
    negative_weight: float
    diversity: float
    popularity: float
    view: _paper_pb2.PaperView
    include_evidence: bool
    page_size: int
    page_token: str
    reader_id: str
    exclude_seen: bool
    def __init__(self, paper_ids: _Optional[_Iterable[str]] = ..., negative_paper_ids: _Optional[_Iterable[str]] = ..., draft: _Optional[_Union[Draft, _Mapping]] = ..., filter: _Optional[_Union[PaperFilter, _Mapping]] = ..., negative_weight: _Optional[float] = ..., diversity: _Optional[float] = ..., popularity: _Optional[float] = ..., view: _Optional[_Union[_paper_pb2.PaperView, str]] = ..., include_evidence: _Optional[bool] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., reader_id: _Optional[str] = ..., exclude_seen: _Optional[bool] = ...) -> None: ...

class Draft(_message.Message):
    __slots__ = ("title", "abstract", "keywords", "references", "year", "authors")
    TITLE_FIELD_NUMBER: _ClassVar[int]
    ABSTRACT_FIELD_NUMBER: _ClassVar[int]
    KEYWORDS_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    AUTHORS_FIELD_NUMBER: _ClassVar[int]
    title: str
    abstract: str
    keywords: _containers.RepeatedScalarFieldContainer[str]
    references: _containers.RepeatedScalarFieldContainer[str]
    year: int
    authors: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, title: _Optional[str] = ..., abstract: _Optional[str] = ..., keywords: _Optional[_Iterable[str]] = ..., references: _Optional[_Iterable[str]] = ..., year: _Optional[int] = ..., authors: _Optional[_Iterable[str]] = ...) -> None: ...

class PaperFilter(_message.Message):
    __slots__ = ("first_year", "last_year", "venues", "excluded_paper_ids")
    FIRST_YEAR_FIELD_NUMBER: _ClassVar[int]
    LAST_YEAR_FIELD_NUMBER: _ClassVar[int]
    VENUES_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_PAPER_IDS_FIELD_NUMBER: _ClassVar[int]
    first_year: int
    last_year: int
    venues: _containers.RepeatedScalarFieldContainer[str]
    excluded_paper_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, first_year: _Optional[int] = ..., last_year: _Optional[int] = ..., venues: _Optional[_Iterable[str]] = ..., excluded_paper_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ListRelatedPapersResponse(_message.Message):
    __slots__ = ("results", "next_page_token", "model_version", "attribution_token", "unknown_paper_ids", "reader_revision")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_PAPER_IDS_FIELD_NUMBER: _ClassVar[int]
    READER_REVISION_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[RelatedPaper]
    next_page_token: str
    model_version: str
    attribution_token: str
    unknown_paper_ids: _containers.RepeatedScalarFieldContainer[str]
    reader_revision: str
    def __init__(self, results: _Optional[_Iterable[_Union[RelatedPaper, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., model_version: _Optional[str] = ..., attribution_token: _Optional[str] = ..., unknown_paper_ids: _Optional[_Iterable[str]] = ..., reader_revision: _Optional[str] = ...) -> None: ...

class RelatedPaper(_message.Message):
    __slots__ = ("paper", "source", "score", "bias", "contributions", "evidence")
    class ContributionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    PAPER_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    BIAS_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    paper: _paper_pb2.Paper
    source: ResultSource
    score: float
    bias: float
    contributions: _containers.ScalarMap[str, float]
    evidence: Evidence
    def __init__(self, paper: _Optional[_Union[_paper_pb2.Paper, _Mapping]] = ..., source: _Optional[_Union[ResultSource, str]] = ..., score: _Optional[float] = ..., bias: _Optional[float] = ..., contributions: _Optional[_Mapping[str, float]] = ..., evidence: _Optional[_Union[Evidence, _Mapping]] = ...) -> None: ...

class Evidence(_message.Message):
    __slots__ = ("seed_paper_id", "shared_terms", "citing_papers")
    SEED_PAPER_ID_FIELD_NUMBER: _ClassVar[int]
    SHARED_TERMS_FIELD_NUMBER: _ClassVar[int]
    CITING_PAPERS_FIELD_NUMBER: _ClassVar[int]
    seed_paper_id: str
    shared_terms: _containers.RepeatedCompositeFieldContainer[SharedTerm]
    citing_papers: _containers.RepeatedCompositeFieldContainer[_paper_pb2.Paper]
    def __init__(self, seed_paper_id: _Optional[str] = ..., shared_terms: _Optional[_Iterable[_Union[SharedTerm, _Mapping]]] = ..., citing_papers: _Optional[_Iterable[_Union[_paper_pb2.Paper, _Mapping]]] = ...) -> None: ...

class SharedTerm(_message.Message):
    __slots__ = ("term", "weight")
    TERM_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    term: str
    weight: float
    def __init__(self, term: _Optional[str] = ..., weight: _Optional[float] = ...) -> None: ...

class RecommendPapersRequest(_message.Message):
    __slots__ = ("reader_id", "filter", "view", "page_size", "page_token")
    READER_ID_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    reader_id: str
    filter: PaperFilter
    view: _paper_pb2.PaperView
    page_size: int
    page_token: str
    def __init__(self, reader_id: _Optional[str] = ..., filter: _Optional[_Union[PaperFilter, _Mapping]] = ..., view: _Optional[_Union[_paper_pb2.PaperView, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class RecommendPapersResponse(_message.Message):
    __slots__ = ("results", "next_page_token", "model_version", "factors_version", "reader_revision", "source", "attribution_token", "unknown_paper_ids")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    FACTORS_VERSION_FIELD_NUMBER: _ClassVar[int]
    READER_REVISION_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_PAPER_IDS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[RecommendedPaper]
    next_page_token: str
    model_version: str
    factors_version: str
    reader_revision: str
    source: ResultSource
    attribution_token: str
    unknown_paper_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, results: _Optional[_Iterable[_Union[RecommendedPaper, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., model_version: _Optional[str] = ..., factors_version: _Optional[str] = ..., reader_revision: _Optional[str] = ..., source: _Optional[_Union[ResultSource, str]] = ..., attribution_token: _Optional[str] = ..., unknown_paper_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class RecommendedPaper(_message.Message):
    __slots__ = ("paper", "source", "score", "bias", "contributions")
    class ContributionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    PAPER_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    BIAS_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    paper: _paper_pb2.Paper
    source: ResultSource
    score: float
    bias: float
    contributions: _containers.ScalarMap[str, float]
    def __init__(self, paper: _Optional[_Union[_paper_pb2.Paper, _Mapping]] = ..., source: _Optional[_Union[ResultSource, str]] = ..., score: _Optional[float] = ..., bias: _Optional[float] = ..., contributions: _Optional[_Mapping[str, float]] = ...) -> None: ...

class BatchListRelatedPapersRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[ListRelatedPapersRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[ListRelatedPapersRequest, _Mapping]]] = ...) -> None: ...

class BatchListRelatedPapersResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[BatchListRelatedPapersResult]
    def __init__(self, results: _Optional[_Iterable[_Union[BatchListRelatedPapersResult, _Mapping]]] = ...) -> None: ...

class BatchListRelatedPapersResult(_message.Message):
    __slots__ = ("status", "response")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.ItemStatus
    response: ListRelatedPapersResponse
    def __init__(self, status: _Optional[_Union[_status_pb2.ItemStatus, _Mapping]] = ..., response: _Optional[_Union[ListRelatedPapersResponse, _Mapping]] = ...) -> None: ...

class SearchPapersRequest(_message.Message):
    __slots__ = ("query", "prefix", "filter", "view", "page_size", "page_token")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    query: str
    prefix: bool
    filter: PaperFilter
    view: _paper_pb2.PaperView
    page_size: int
    page_token: str
    def __init__(self, query: _Optional[str] = ..., prefix: _Optional[bool] = ..., filter: _Optional[_Union[PaperFilter, _Mapping]] = ..., view: _Optional[_Union[_paper_pb2.PaperView, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class SearchPapersResponse(_message.Message):
    __slots__ = ("results", "next_page_token", "model_version", "attribution_token", "total", "relaxed", "unknown_paper_ids")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    RELAXED_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_PAPER_IDS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[SearchResult]
    next_page_token: str
    model_version: str
    attribution_token: str
    total: int
    relaxed: bool
    unknown_paper_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, results: _Optional[_Iterable[_Union[SearchResult, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., model_version: _Optional[str] = ..., attribution_token: _Optional[str] = ..., total: _Optional[int] = ..., relaxed: _Optional[bool] = ..., unknown_paper_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class SearchResult(_message.Message):
    __slots__ = ("paper", "score", "title", "snippet")
    PAPER_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    SNIPPET_FIELD_NUMBER: _ClassVar[int]
    paper: _paper_pb2.Paper
    score: float
    title: _containers.RepeatedCompositeFieldContainer[Span]
    snippet: _containers.RepeatedCompositeFieldContainer[Span]
    def __init__(self, paper: _Optional[_Union[_paper_pb2.Paper, _Mapping]] = ..., score: _Optional[float] = ..., title: _Optional[_Iterable[_Union[Span, _Mapping]]] = ..., snippet: _Optional[_Iterable[_Union[Span, _Mapping]]] = ...) -> None: ...

class Span(_message.Message):
    __slots__ = ("text", "highlighted")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    HIGHLIGHTED_FIELD_NUMBER: _ClassVar[int]
    text: str
    highlighted: bool
    def __init__(self, text: _Optional[str] = ..., highlighted: _Optional[bool] = ...) -> None: ...

class ListTrendingPapersRequest(_message.Message):
    __slots__ = ("window", "filter", "view", "page_size", "page_token")
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    window: str
    filter: PaperFilter
    view: _paper_pb2.PaperView
    page_size: int
    page_token: str
    def __init__(self, window: _Optional[str] = ..., filter: _Optional[_Union[PaperFilter, _Mapping]] = ..., view: _Optional[_Union[_paper_pb2.PaperView, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListTrendingPapersResponse(_message.Message):
    __slots__ = ("results", "next_page_token", "model_version", "attribution_token", "window", "as_of", "unknown_paper_ids")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_PAPER_IDS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[TrendingPaper]
    next_page_token: str
    model_version: str
    attribution_token: str
    window: str
    as_of: _timestamp_pb2.Timestamp
    unknown_paper_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, results: _Optional[_Iterable[_Union[TrendingPaper, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., model_version: _Optional[str] = ..., attribution_token: _Optional[str] = ..., window: _Optional[str] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., unknown_paper_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class TrendingPaper(_message.Message):
    __slots__ = ("paper", "source", "score", "reasons", "shown_readers", "last_chosen_time")
    PAPER_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    SHOWN_READERS_FIELD_NUMBER: _ClassVar[int]
    LAST_CHOSEN_TIME_FIELD_NUMBER: _ClassVar[int]
    paper: _paper_pb2.Paper
    source: ResultSource
    score: float
    reasons: _containers.RepeatedCompositeFieldContainer[TrendingReason]
    shown_readers: int
    last_chosen_time: _timestamp_pb2.Timestamp
    def __init__(self, paper: _Optional[_Union[_paper_pb2.Paper, _Mapping]] = ..., source: _Optional[_Union[ResultSource, str]] = ..., score: _Optional[float] = ..., reasons: _Optional[_Iterable[_Union[TrendingReason, _Mapping]]] = ..., shown_readers: _Optional[int] = ..., last_chosen_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class TrendingReason(_message.Message):
    __slots__ = ("event_type", "readers", "decayed_readers", "contribution", "counted_readers")
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    READERS_FIELD_NUMBER: _ClassVar[int]
    DECAYED_READERS_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    COUNTED_READERS_FIELD_NUMBER: _ClassVar[int]
    event_type: str
    readers: int
    decayed_readers: float
    contribution: float
    counted_readers: int
    def __init__(self, event_type: _Optional[str] = ..., readers: _Optional[int] = ..., decayed_readers: _Optional[float] = ..., contribution: _Optional[float] = ..., counted_readers: _Optional[int] = ...) -> None: ...
