using System.Text.Json;
using OllamaMax.Grammars;

namespace OllamaMax.Core.Tests.Grammars;

public sealed class JsonGrammarRefusalTests
{
    [Theory]
    [InlineData("""{"not":{}}""", "#", "not", "cannot say")]
    [InlineData("""{"properties":{"a/b":{"if":{}}}}""", "#/properties/a~1b", "if", "oneOf")]
    [InlineData("""{"items":{"contains":{}}}""", "#/items", "contains", "not supported")]
    [InlineData("""{"typo":1}""", "#", "typo", "not supported")]
    [InlineData("""{"type":"text"}""", "#", "type", "must be")]
    [InlineData("""{"type":[]}""", "#", "type", "must be")]
    [InlineData("""{"type":7}""", "#", "type", "must be an array")]
    [InlineData("""{"properties":[]}""", "#", "properties", "must be an object")]
    [InlineData("""{"required":"a"}""", "#", "required", "must be an array")]
    [InlineData("""{"required":[1]}""", "#", "required", "array of strings")]
    [InlineData("""{"anyOf":[]}""", "#", "anyOf", "must have a branch")]
    [InlineData("""{"anyOf":[7]}""", "#/anyOf/0", "", "must be a schema")]
    [InlineData("""{"minLength":-1}""", "#", "minLength", "from 0")]
    [InlineData("""{"minLength":1.5}""", "#", "minLength", "whole number")]
    [InlineData("""{"minLength":3,"maxLength":2}""", "#", "maxLength", "less than")]
    [InlineData("""{"exclusiveMinimum":true}""", "#", "exclusiveMinimum", "must be a number")]
    [InlineData("""{"minimum":1e99}""", "#", "minimum", "digits")]
    [InlineData("""{"multipleOf":0}""", "#", "multipleOf", "above 0")]
    [InlineData("""{"multipleOf":1000003}""", "#", "", "multipleOf")]
    [InlineData("""{"uniqueItems":true}""", "#", "uniqueItems", "does not remember")]
    [InlineData("""{"items":[{}]}""", "#", "items", "prefixItems")]
    [InlineData("""{"format":"regex"}""", "#", "format", "date-time")]
    [InlineData("""{"$ref":"https://example.com/schema"}""", "#", "$ref", "nothing is fetched")]
    [InlineData("""{"$ref":"#/$defs/none"}""", "#", "$ref", "not there")]
    [InlineData("""{"$ref":"#"}""", "#", "$ref", "back to itself")]
    [InlineData("""{"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"type":"null"},{"$ref":"#/$defs/a"}]}}}""", "#/$defs/a", "$ref", "back to itself")]
    [InlineData("""{"properties":{"a":{"$id":"other"}}}""", "#/properties/a", "$id", "at the top")]
    [InlineData("""{"oneOf":[{"type":"integer"},{"type":"number"}]}""", "#", "oneOf", "branches 0 and 1")]
    [InlineData("""{"oneOf":[{"minLength":3},{"minimum":3}]}""", "#", "oneOf", "branches 0 and 1")]
    [InlineData("""{"minProperties":5,"properties":{"a":{}},"additionalProperties":true}""", "#", "minProperties", "does not remember")]
    [InlineData("""{"type":"string","type":"integer"}""", "#", "", "\"type\" twice")]
    [InlineData("""{"const":"\ud800"}""", "#", "", "valid Unicode")]
    [InlineData("""{"properties":{"\ud800":{}}}""", "#", "", "valid Unicode")]
    [InlineData("false", "#", "", "allows no value")]
    [InlineData("\"text\"", "#", "", "must be a schema")]
    [InlineData("""{"allOf":[{"type":"string"},{"type":"integer"}]}""", "#", "", "allows no value")]
    [InlineData("""{"type":"object","properties":{"a":false},"required":["a"]}""", "#", "", "allows no value")]
    [InlineData("""{"type":"object","properties":{"next":{"$ref":"#"}},"required":["next"]}""", "#", "", "none that ends")]
    [InlineData("""{"type":"string","pattern":"^(?=a)b"}""", "#", "pattern", "looks ahead")]
    [InlineData("""{"type":"string","pattern":"(?<!a)b"}""", "#", "pattern", "looks ahead or behind")]
    [InlineData("""{"type":"string","pattern":"(a)\\1"}""", "#", "pattern", "refers back")]
    [InlineData("""{"type":"string","pattern":"\\bword"}""", "#", "pattern", "word boundary")]
    [InlineData("""{"type":"string","pattern":"\\p{L}"}""", "#", "pattern", "Unicode property")]
    [InlineData("""{"type":"string","pattern":"(a"}""", "#", "pattern", "without a")]
    [InlineData("""{"type":"string","pattern":"a)"}""", "#", "pattern", "without a")]
    [InlineData("""{"type":"string","pattern":"[a"}""", "#", "pattern", "class")]
    [InlineData("""{"type":"string","pattern":"[b-a]"}""", "#", "pattern", "range")]
    [InlineData("""{"type":"string","pattern":"*a"}""", "#", "pattern", "nothing before it")]
    [InlineData("""{"type":"string","pattern":"a**"}""", "#", "pattern", "after a quantifier")]
    [InlineData("""{"type":"string","pattern":"a{3,2}"}""", "#", "pattern", "from 3 to 2")]
    [InlineData("""{"type":"string","pattern":"a{"}""", "#", "pattern", "no count")]
    [InlineData("""{"type":"string","pattern":"a\\"}""", "#", "pattern", "backslash")]
    [InlineData("""{"type":"string","pattern":"\\q"}""", "#", "pattern", "unknown escape")]
    public void TryFromSchema_WhatHasNoGrammar_SaysWhereAndWhy(string schema, string location, string keyword, string why)
    {
        SchemaError error = ErrorOf(schema);

        error.Location.ShouldBe(location);
        error.Keyword.ShouldBe(keyword);
        error.Message.ShouldContain(why);
        error.ToString().ShouldNotContain('\n');
    }

    public static TheoryData<string, string> Bombs => new()
    {
        { """{"type":"string","pattern":"(a{1000}){1000}"}""", "pattern" },
        { """{"type":"string","pattern":"a.{30}b"}""", "pattern" },
        { """{"type":"string","pattern":"^(a?){2000}$","maxLength":100000}""", "pattern" },
        { """{"type":"string","pattern":"a{100000}"}""", "pattern" },
        { """{"type":"string","maxLength":10000000000}""", "maxLength" },
        { $$"""{"type":"string","pattern":"{{new string('(', 60)}}{{new string(')', 60)}}"}""", "pattern" },
        { Nested(100), "properties" },
        { $$"""{"allOf":[{{string.Join(',', Enumerable.Repeat("""{"anyOf":[{"minLength":1},{"maxLength":9},{"pattern":"a"}]}""", 12))}}]}""", "anyOf" },
        { $$"""{"enum":[{{string.Join(',', Enumerable.Range(0, 2001))}}]}""", "enum" },
        { $$"""{"description":"{{new string('x', 300_000)}}"}""", "" },
        { Chain(6_000, "items"), "" },
        { Chain(5_000, "allOf"), "" },
        { Chain(5_000, "anyOf"), "" },
        { Lists(), "oneOf" },
    };

    [Theory]
    [MemberData(nameof(Bombs), DisableDiscoveryEnumeration = true)]
    public void TryFromSchema_WhatWouldExplode_IsRefused(string schema, string keyword) => ErrorOf(schema).Keyword.ShouldBe(keyword);

    [Theory]
    [InlineData("""{"type":"string","maxLength":1000000}""")]
    [InlineData("""{"type":"array","items":{"type":"array","items":{"type":"integer"},"maxItems":100000},"minItems":99999,"maxItems":100000}""")]
    public void TryFromSchema_LargeCounts_MakeASmallGrammar(string schema) => JsonGrammarMatchTests.GrammarOf(schema).Length.ShouldBeLessThan(5_000);

    [Fact]
    public void TryFromSchema_ManyOptionalProperties_GrowWithTheirNumberOnly()
    {
        static string Properties(int count) =>
            "{\"properties\":{" + string.Join(',', Enumerable.Range(100, count).Select(i => $"\"p{i}\":{{\"type\":\"null\"}}")) + "}}";

        int few = JsonGrammarMatchTests.GrammarOf(Properties(50)).Length;
        int many = JsonGrammarMatchTests.GrammarOf(Properties(500)).Length;

        many.ShouldBeLessThan(12 * few);
    }

    private static string Nested(int depth) => depth == 0 ? "{}" : "{\"properties\":{\"a\":" + Nested(depth - 1) + "}}";

    /// <summary>Each definition refers to the next.</summary>
    private static string Chain(int length, string keyword) => "{\"$ref\":\"#/$defs/d0\",\"$defs\":{"
        + string.Concat(Enumerable.Range(0, length).Select(i => keyword == "items"
            ? $"\"d{i}\":{{\"items\":{{\"$ref\":\"#/$defs/d{i + 1}\"}}}},"
            : $"\"d{i}\":{{\"{keyword}\":[{{\"$ref\":\"#/$defs/d{i + 1}\"}}]}},"))
        + $"\"d{length}\":{{}}}}}}";

    /// <summary>Two kinds of endless list: whether they differ is asked again of every next element.</summary>
    private static string Lists() => """
        {"oneOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/b"}],"$defs":{
         "a":{"type":"object","properties":{"next":{"$ref":"#/$defs/a"}},"required":["next"]},
         "b":{"type":"object","properties":{"next":{"$ref":"#/$defs/b"}},"required":["next"]}}}
        """;

    private static SchemaError ErrorOf(string schema)
    {
        using JsonDocument document = JsonDocument.Parse(schema, new JsonDocumentOptions { MaxDepth = 1_000 });
        JsonGrammar.TryFromSchema(document.RootElement, out string? grammar, out SchemaError? error).ShouldBeFalse(grammar?[..Math.Min(grammar.Length, 2_000)]);
        return error;
    }
}
