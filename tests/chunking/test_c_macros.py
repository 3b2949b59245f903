"""Definitions of C, C++ and Objective-C behind macros that their grammars do not know."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.chunking import chunk_file
from retrieval.chunking.c_macros import without_macros

CPP = {
    "FOO_EXPORT void go(int a);": "block go 1-1",
    "FOO_API int shop::Till::count(int a) const {\n    return a;\n}": "method shop.Till.count 1-3",
    'extern "C" SHOP_EXPORT int haul(void* handle)\n{\n    return 0;\n}': "function haul 1-4",
    'extern "C" {\nSHOP_EXPORT int haul(void* handle)\n{\n    return 0;\n}\n}': "function haul 2-5",
    "STDMETHODIMP Till::Count(int a) {\n    return S_OK;\n}": "method Till.Count 1-3",
    "NS_IMETHODIMP\nTill::Count(int a) {\n    return S_OK;\n}": "method Till.Count 1-4",
    "V8_EXPORT_PRIVATE std::unique_ptr<Till> MakeTill(int a) {\n    return nullptr;\n}": "function MakeTill 1-3",
    'SHOP_DEPRECATED("use b") int a(int x) {\n    return 1;\n}': "function a 1-3",
    "int a(int x) SHOP_NOEXCEPT {\n    return 1;\n}": "function a 1-3",
    "int Till::a(int x) const SHOP_NOEXCEPT override SHOP_REQUIRES(mutex_) {\n    return 1;\n}": "method Till.a 1-3",
    "class SHOP_API Till;": "",
    "class SHOP_API Till final : public Base<int> {\n    void go() override { run(); }\n};": "class Till 1-3, method Till.go 2-2",
    "template <typename T>\nclass _LIBCPP_TEMPLATE_VIS vector : public base<T> {\n    vector();\n};": "class vector 1-4",
    "class shop_export Till : public Base {\n    int a;\n};": "class Till 1-3",
    "enum class SHOP_API Color : int { Red, Green };": "class Color 1-1",
    "struct stat st{};": "block st 1-1",
    "NAMESPACE_BEGIN(detail)\nclass Till {\n    int a;\n};\nNAMESPACE_END(detail)": "class Till 2-4",
    "namespace std _SHOP_VISIBILITY(default)\n{\n_SHOP_BEGIN_NAMESPACE\nclass Till {\n    int a;\n};\n}": "class std.Till 4-6",
    'UCLASS(Blueprintable, meta=(DisplayName="Till"))\nclass UTill : public UObject\n{\n    GENERATED_BODY()\n'
    '    UPROPERTY(EditAnywhere, Category="A")\n    float Strength = 10.0f;\n    UFUNCTION(BlueprintCallable)\n'
    "    void Go(UPARAM(ref) int& A) { x(); }\n};": "class UTill 1-9, method UTill.Go 7-8",
    "class Till : public QObject {\n    Q_OBJECT\n    Q_PROPERTY(int a READ a WRITE setA)\nQ_SIGNALS:\n    void changed();\n"
    "public Q_SLOTS:\n    void stop() { x(); }\n};": "class Till 1-8, method Till.changed 5-5, method Till.stop 7-7",
    "TEST(Basket, IsEmpty) {\n    EXPECT_EQ(1, 1);\n}": "method Basket.IsEmpty 1-3",
    'TEST_CASE("a basket, full", "[basket]")\n{\n    REQUIRE(1);\n}': "function a_basket__full 1-4",
    'TEST_SUITE("baskets") {\n    TEST_CASE("one") {\n        CHECK(1);\n    }\n}': "function baskets.one 2-4",
    "BOOST_AUTO_TEST_SUITE(baskets)\nBOOST_AUTO_TEST_CASE(one)\n{\n    BOOST_CHECK(1);\n}": "function one 1-5",
    "Till::operator bool() const {\n    return true;\n}": "method Till.operator bool 1-3",
    "bool Till::operator->() const {\n    return true;\n}": "method Till.operator-> 1-3",
    "template <> struct hash<Till> {\n    size_t operator()(const Till& t) const { return 1; }\n};": (
        "class hash 1-3, method hash.operator() 2-2"
    ),
    "export module shop;\nexport class Till { int a; };": "class Till 2-2",
    "void run()\n{\n    if (a) SHOP_LOG(1);\n    return (int) MAX_VALUE;\n}\nint next(int a) { return 0; }": (
        "function run 1-5, function next 6-6"
    ),
}
C = {
    "SYSCALL_DEFINE3(read, unsigned int, fd, char __user *, buf)\n{\n    return 1;\n}": "function read 1-4",
    "TEST(Basket, IsEmpty)\n{\n    x();\n}": "method Basket.IsEmpty 1-4",
    "GLOBAL(void)\njpeg_create(int version)\n{\n    int i;\n}": "function jpeg_create 1-5",
    "PyAPI_FUNC(int) go(void);": "block go 1-1",
    "asmlinkage __visible void __init start_kernel(void)\n{\n    x();\n}": "function start_kernel 1-4",
    "LUA_API int (lua_gettop) (lua_State *L) {\n    return 1;\n}": "function lua_gettop 1-3",
    "struct PACKED till {\n    int a;\n};": "class till 1-3",
    "static void\ngo (a, b)\n    int a;\n    char *b;\n{\n    return;\n}": "function go 1-7",
}
OBJC = {
    "NS_ASSUME_NONNULL_BEGIN\n\n/// Plays.\nNS_SWIFT_NAME(Player)\n@interface SongPlayer : NSObject\n- (void)play;\n@end": (
        "class SongPlayer 3-7, method SongPlayer.play 6-6"
    ),
    "typedef NS_ENUM(NSInteger, SongKind) {\n    SongKindPop,\n    SongKindRock\n};": "class SongKind 1-4",
    "NS_AVAILABLE(8_0) @interface Till : NSObject\n- (void)go;\n@end": "class Till 1-3, method Till.go 2-2",
}
CASES = [
    (path, code, expected)
    for path, cases in (("a.cpp", CPP), ("a.c", C), ("a.m", OBJC))
    for code, expected in cases.items()
]


@pytest.mark.parametrize(
    ("path", "code", "expected"), CASES, ids=[code.partition("\n")[0][:40] for _, code, _ in CASES]
)
def test_a_definition_behind_macros_has_its_name_and_its_lines(path: str, code: str, expected: str) -> None:
    symbols = [symbol for chunk in chunk_file(path, code + "\n") for symbol in chunk.symbols]

    shown = [f"{s.kind} {s.scope + '.' if s.scope else ''}{s.name} {s.start_line}-{s.end_line}" for s in symbols]
    assert ", ".join(shown) == expected


PIECES = [piece for _, code, _ in CASES for piece in code.replace("(", " ( ").split(" ")] + [
    "\n",
    "\r\n",
    "(",
    ")",
    '"',
    "{",
    "é",
]


@given(st.lists(st.sampled_from(PIECES), max_size=40), st.sampled_from(["c", "cpp", "objc"]))
def test_a_text_without_macros_has_the_same_lines(pieces: list[str], language: str) -> None:
    data = " ".join(pieces).encode()

    source = without_macros(language, data)

    assert len(source) == len(data)
    assert [i for i, byte in enumerate(source) if byte == 10] == [i for i, byte in enumerate(data) if byte == 10]
