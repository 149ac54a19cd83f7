using System.Text.Json;
using OllamaMax.Grammars;
using OllamaMax.TestKit.Grammars;

namespace OllamaMax.Core.Tests.Grammars;

/// <summary>What a grammar must lead to, and what it must not.</summary>
public sealed class JsonGrammarMatchTests
{
    private const string Person = """
        {"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer","minimum":0},"tags":{"type":"array","items":{"type":"string"}}},"required":["name","age"]}
        """;

    private const string Tree = """{"$ref":"#/$defs/tree","$defs":{"tree":{"type":"object","properties":{"v":{"type":"integer"},"next":{"$ref":"#/$defs/tree"}},"required":["v"]}}}""";

    private const string Union = """
        {"oneOf":[{"type":"object","properties":{"kind":{"const":"a"},"x":{"type":"integer"}},"required":["kind","x"]},
                  {"type":"object","properties":{"kind":{"const":"b"},"y":{"type":"boolean"}}}]}
        """;

    /// <summary>Neither kind is required, and the second's cannot be: without one, a value is of both.</summary>
    private const string OptionalKinds = """
        {"type":"object","properties":{"kind":{"type":"string","maxLength":3}},
         "oneOf":[{"properties":{"kind":{"const":"one"},"v":{}}},{"properties":{"kind":{"const":"three"},"v":{}}}]}
        """;

    [Theory]
    [InlineData(Person, """{"name": "Ann", "age": 7}""")]
    [InlineData(Person, """{"name":"Ann","age":0,"tags":[]}""")]
    [InlineData(Person, "{\n  \"name\": \"q\\\"\\u00e9\\n\",\n  \"age\": 7,\n  \"tags\": [\n    \"a\",\n    \"b\"\n  ]\n}")]
    [InlineData(Tree, """{"v":1,"next":{"v":2,"next":{"v":3}}}""")]
    [InlineData(Union, """{"kind":"a","x":1}""")]
    [InlineData(Union, """{"kind":"b"}""")]
    [InlineData("true", """{"a":[1,-2.5e-3,"x",null,true,{}]}""")]
    [InlineData("{}", "\"text\"")]
    [InlineData("""{"type":"object"}""", """{"any":"thing"}""")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"null"}},"additionalProperties":{"type":"integer"}}""", """{"a":null,"b":1,"ab":2,"":3}""")]
    [InlineData("""{"properties":{"a":{"const":1},"b":{"const":2},"c":{"const":3}}}""", """{"b":2}""")]
    [InlineData("""{"properties":{"a":{"const":1},"b":{"const":2},"c":{"const":3}}}""", """{"a":1,"c":3}""")]
    [InlineData("""{"properties":{"a":{"const":1},"b":{"const":2},"c":{"const":3}}}""", "{}")]
    [InlineData("""{"properties":{"a":{"type":"null"}},"required":["a","z"],"additionalProperties":true}""", """{"a":null,"z":[]}""")]
    [InlineData("""{"patternProperties":{"^x-":{"type":"integer"}},"additionalProperties":false}""", """{"x-1":1,"x-":2}""")]
    [InlineData("""{"enum":["red","green",5,null,{"a":[1,"b"]}]}""", """{"a":[1,"b"]}""")]
    [InlineData("""{"enum":["red","green",5,null,{"a":[1,"b"]}]}""", "5")]
    [InlineData("""{"const":"a\"\\\n\u0001é😀"}""", "\"a\\\"\\\\\\n\\u0001é😀\"")]
    [InlineData("""{"type":["string","null"]}""", "null")]
    [InlineData("""{"type":"integer","minimum":-5,"maximum":105}""", "105")]
    [InlineData("""{"type":"integer","minimum":-5,"maximum":105}""", "-5")]
    [InlineData("""{"type":"integer","minimum":-5,"maximum":105}""", "0")]
    [InlineData("""{"type":"integer","multipleOf":7}""", "-21")]
    [InlineData("""{"type":"integer","minimum":9007199254740993}""", "9007199254740993")]
    [InlineData("""{"type":"number","minimum":0.5,"exclusiveMaximum":2}""", "0.5")]
    [InlineData("""{"type":"number","minimum":0.5,"exclusiveMaximum":2}""", "1.9999")]
    [InlineData("""{"type":"number","multipleOf":0.01}""", "19.99")]
    [InlineData("""{"type":"string","pattern":"b+"}""", "\"abc\"")]
    [InlineData("""{"type":"string","pattern":"^\\d{3}-[A-Z]{2,}$"}""", "\"123-ABC\"")]
    [InlineData("""{"type":"string","pattern":"\"\\\\"}""", "\"x\\\"\\\\y\"")]
    [InlineData("""{"type":"string","pattern":"^a|b$"}""", "\"xb\"")]
    [InlineData("""{"type":"string","minLength":2,"maxLength":3}""", "\"a\\u00e9😀\"")]
    [InlineData("""{"type":"string","format":"date"}""", "\"2024-02-29\"")]
    [InlineData("""{"type":"string","format":"date-time"}""", "\"2025-06-30T23:59:59.123Z\"")]
    [InlineData("""{"type":"string","format":"ipv6"}""", "\"2001:db8::1\"")]
    [InlineData("""{"type":"string","format":"uri"}""", "\"https://example.com:8080/a/b?q=1#x\"")]
    [InlineData("""{"type":"string","format":"email"}""", "\"ann.lee+x@mail.example.org\"")]
    [InlineData("""{"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"items":false}""", """[1,"a"]""")]
    [InlineData("""{"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"items":{"type":"null"}}""", """[1, "a", null, null]""")]
    [InlineData("""{"type":"array","items":{"const":1},"minItems":2,"maxItems":250}""", "[1,1,1]")]
    [InlineData("""{"allOf":[{"properties":{"a":{"type":"integer"}},"required":["a"]},{"properties":{"b":{"type":"string"},"a":{"maximum":5}}}]}""", """{"a":5,"b":""}""")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"anyOf":[{"required":["a"]},{"required":["b"]}]}""", """{"b":1}""")]
    [InlineData("""{"$ref":"#/definitions/a~1b%20c","definitions":{"a/b c":{"const":1}}}""", "1")]
    [InlineData("""{"type":"array","items":{"$ref":"#"}}""", "[[],[[]]]")]
    public void Grammar_OfValidInstance_LeadsToIt(string schema, string instance) => GbnfMatcher.Matches(GrammarOf(schema), instance).ShouldBeTrue(GrammarOf(schema));

    [Theory]
    [InlineData(Person, """{"name":"Ann"}""")]
    [InlineData(Person, """{"name":"Ann","age":-1}""")]
    [InlineData(Person, """{"name":"Ann","age":1,"more":1}""")]
    [InlineData(Person, """{"name":"Ann","age":1,}""")]
    [InlineData(Person, "{\"name\":  \"Ann\",\"age\":1}")]
    [InlineData(Person, "{\"name\":\"Ann\",\"age\":1}\n")]
    [InlineData(Union, """{"x":1}""")]
    [InlineData(Union, """{"kind":"b","x":1}""")]
    [InlineData(OptionalKinds, """{"v":[1]}""")]
    [InlineData("{}", "\"\\ud800\"")]
    [InlineData("{}", "\"a\nb\"")]
    [InlineData("{}", "01")]
    [InlineData("""{"properties":{"a":{"type":"null"}},"additionalProperties":{"type":"integer"}}""", """{"a":null,"a":1}""")]
    [InlineData("""{"properties":{"a":{"type":"null"}},"additionalProperties":{"type":"integer"}}""", """{"\u0061":1}""")]
    [InlineData("""{"patternProperties":{"^x-":{"type":"integer"}},"additionalProperties":false}""", """{"y":1}""")]
    [InlineData("""{"patternProperties":{"^x-":{"type":"integer"}},"additionalProperties":{"type":"string"}}""", """{"x-1":"a"}""")]
    [InlineData("""{"type":"integer","minimum":-5,"maximum":105}""", "106")]
    [InlineData("""{"type":"integer","minimum":-5,"maximum":105}""", "-6")]
    [InlineData("""{"type":"integer","minimum":-5,"maximum":105}""", "-0")]
    [InlineData("""{"type":"integer","exclusiveMinimum":3}""", "3")]
    [InlineData("""{"type":"integer","multipleOf":7}""", "22")]
    [InlineData("""{"type":"number","minimum":0.5,"exclusiveMaximum":2}""", "2.0")]
    [InlineData("""{"type":"number","minimum":0.5,"exclusiveMaximum":2}""", "0.4999")]
    [InlineData("""{"type":"number","minimum":0.5,"exclusiveMaximum":2}""", "1e0")]
    [InlineData("""{"type":"string","pattern":"b+"}""", "\"ac\"")]
    [InlineData("""{"type":"string","pattern":"^a$"}""", "\"a\\n\"")]
    [InlineData("""{"type":"string","pattern":"^a|b$"}""", "\"xa\"")]
    [InlineData("""{"type":"string","minLength":2,"maxLength":3}""", "\"\\u00e9\"")]
    [InlineData("""{"type":"string","format":"date"}""", "\"2023-02-29\"")]
    [InlineData("""{"type":"string","format":"date"}""", "\"2025-04-31\"")]
    [InlineData("""{"type":"string","format":"ipv4"}""", "\"1.2.3.256\"")]
    [InlineData("""{"type":"array","prefixItems":[{"type":"integer"}],"items":false}""", "[1,2]")]
    [InlineData("""{"type":"array","items":{"const":1},"minItems":2,"maxItems":3}""", "[1]")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"anyOf":[{"required":["a"]},{"required":["b"]}]}""", "{}")]
    [InlineData("""{"enum":["red","green"]}""", "\"blue\"")]
    public void Grammar_OfInvalidInstance_DoesNotLeadToIt(string schema, string instance) =>
        GbnfMatcher.Matches(GrammarOf(schema), instance).ShouldBeFalse(GrammarOf(schema));

    [Fact]
    public void AnyObject_OfObjectsAndOthers_LeadsToObjectsOnly()
    {
        GbnfMatcher.Matches(JsonGrammar.AnyObject, """{"a": {"b": [1, null]}}""").ShouldBeTrue();
        GbnfMatcher.Matches(JsonGrammar.AnyObject, "[]").ShouldBeFalse();
        GbnfMatcher.Matches(JsonGrammar.AnyObject, "{\n\n}").ShouldBeFalse();
    }

    internal static string GrammarOf(string schema)
    {
        JsonGrammar.TryFromSchema(JsonDocument.Parse(schema).RootElement, out string? grammar, out SchemaError? error).ShouldBeTrue($"{error}");
        return grammar;
    }
}
