using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Json.Schema;
using OllamaMax.Grammars;
using OllamaMax.TestKit.Grammars;

namespace OllamaMax.Inference.Tests.Grammars;

/// <summary>The proof of the promise: what a grammar leads to is JSON, and an independent validator accepts it.</summary>
public sealed class SchemaAnswerTests
{
    private static readonly EvaluationOptions s_options = new() { RequireFormatValidation = true };

    [Fact]
    public void Answers_OfAnySchema_Validate()
    {
        int written = 0, drawn = 0, judged = 0;
        Gen.Int.Sample(seed =>
        {
            Random random = new(seed);
            JsonObject schema = SchemaGenerator.Draw(random);
            Interlocked.Increment(ref drawn);
            if (!JsonGrammar.TryFromSchema(JsonSerializer.SerializeToElement(schema), out string? grammar, out SchemaError? error))
            {
                error.Location.ShouldStartWith("#");
                return;
            }
            Interlocked.Increment(ref written);
            if (Validator(schema) is not { } validator)
                return;
            GbnfSampler sampler = new(grammar, random);
            for (int i = 0; i < 10; i++)
                Interlocked.Add(ref judged, ShouldValidate(validator, sampler.Sample(), schema.ToJsonString()) ? 1 : 0);
        }, iter: 150);
        // Refusals are honest, but a test that is refused everything tests nothing.
        written.ShouldBeGreaterThan(drawn / 2);
        judged.ShouldBeGreaterThan(written * 5);
    }

    [Theory]
    [InlineData("""{"type":"integer","minimum":-17,"maximum":1234}""")]
    [InlineData("""{"type":"integer","exclusiveMinimum":9.5}""")]
    [InlineData("""{"type":"integer","maximum":-1000,"multipleOf":7}""")]
    [InlineData("""{"type":"number","exclusiveMinimum":0,"exclusiveMaximum":1}""")]
    [InlineData("""{"type":"number","minimum":-0.125,"maximum":1000.5}""")]
    [InlineData("""{"type":"number","exclusiveMinimum":0.001,"exclusiveMaximum":0.0010001}""")]
    [InlineData("""{"type":"number","maximum":-3,"multipleOf":0.25}""")]
    [InlineData("""{"type":"integer","format":"uint64"}""")]
    [InlineData("""{"type":"string","minLength":250,"maxLength":1500}""")]
    [InlineData("""{"type":"array","items":{"type":"boolean"},"minItems":130,"maxItems":330}""")]
    [InlineData("""{"type":"object","additionalProperties":{"type":"integer"},"minProperties":1,"maxProperties":3}""")]
    [InlineData("""{"properties":{"a":{"type":"null"},"b":{"type":"null"},"c":{"type":"null"},"d":{"type":"null"}},"minProperties":2,"maxProperties":3}""")]
    [InlineData("""{"oneOf":[{"type":"string","maxLength":3},{"type":"string","minLength":4},{"type":"array","maxItems":0}]}""")]
    [InlineData("""{"oneOf":[{"pattern":"^a","type":"string"},{"pattern":"^[^a]","type":"string"},{"enum":[1,2]},{"type":"integer","minimum":3}]}""")]
    [InlineData("""{"type":"string","allOf":[{"pattern":"a"},{"pattern":"b"},{"maxLength":4}]}""")]
    public void Answers_OfThisSchema_Validate(string schema)
    {
        JsonGrammar.TryFromSchema(JsonDocument.Parse(schema).RootElement, out string? grammar, out SchemaError? error).ShouldBeTrue($"{error}");
        JsonSchema validator = JsonSchema.FromText(schema);
        GbnfSampler sampler = new(grammar, new Random(1));
        for (int i = 0; i < 200; i++)
            ShouldValidate(validator, sampler.Sample(), schema);
    }

    [Fact]
    public void Answers_ToAnyObject_AreObjects()
    {
        GbnfSampler sampler = new(JsonGrammar.AnyObject, new Random(1));
        for (int i = 0; i < 500; i++)
            JsonDocument.Parse(sampler.Sample()).RootElement.ValueKind.ShouldBe(JsonValueKind.Object);
    }

    /// <summary>Null where definitions go round in a circle: the validator takes none such, not even one that nothing refers to.</summary>
    private static JsonSchema? Validator(JsonObject schema)
    {
        try
        {
            return JsonSchema.FromText(schema.ToJsonString());
        }
        catch (JsonSchemaException e) when (e.Message.StartsWith("Cycle", StringComparison.Ordinal))
        {
            return null;
        }
    }

    private static bool ShouldValidate(JsonSchema validator, string answer, string schema)
    {
        using JsonDocument document = JsonDocument.Parse(answer);
        if (IsMiscounted(document.RootElement))
            return false;
        validator.Evaluate(document.RootElement, s_options).IsValid.ShouldBeTrue($"{answer}\nof\n{schema}");
        return true;
    }

    /// <summary>The validator counts what a reader sees as one character, JSON Schema counts Unicode's.</summary>
    private static bool IsMiscounted(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().Any(member => IsMiscounted(member.Value)),
        JsonValueKind.Array => value.EnumerateArray().Any(IsMiscounted),
        JsonValueKind.String => value.GetString()! is var text && new StringInfo(text).LengthInTextElements != text.EnumerateRunes().Count(),
        _ => false,
    };
}
