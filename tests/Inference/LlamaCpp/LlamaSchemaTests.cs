using System.Text;
using System.Text.Json;
using Json.Schema;
using OllamaMax.Grammars;
using OllamaMax.Inference.Native;
using OllamaMax.Inference.Native.Grammars;
using OllamaMax.Inference.Tests.Grammars;

namespace OllamaMax.Inference.Tests.LlamaCpp;

/// <summary>What reads the grammars in earnest, reads them: llama.cpp, and the engine's own guide.</summary>
public sealed class LlamaSchemaTests
{
    private const string Ticket = """
        {"type":"object","properties":{"id":{"type":"integer","minimum":1,"maximum":999},"state":{"enum":["open","closed"]},
         "at":{"type":"string","format":"date-time"},"code":{"type":"string","pattern":"^[A-Z]{2}-\\d{3}$"},"note":{"type":"string","maxLength":20},
         "tags":{"type":"array","items":{"type":"string","minLength":1,"maxLength":5},"maxItems":3}},"required":["id","state","code"]}
        """;

    [Theory]
    [InlineData("{}")]
    [InlineData(Ticket)]
    [InlineData("""{"type":"string","minLength":150,"maxLength":1000000}""")]
    [InlineData("""{"type":"array","items":{"$ref":"#"},"maxItems":12345}""")]
    [InlineData("""{"enum":["a\"b\\c\n","é😀","]-[^",{"x":[1]}]}""")]
    [InlineData("""{"type":"string","pattern":"[\\]\\-^\"\\\\\u0001]+"}""")]
    [InlineData("""{"type":"string","pattern":"^\\D\\S\\W.$"}""")]
    [InlineData("""{"type":"string","format":"uri","minLength":1,"maxLength":2083}""")]
    [InlineData("""{"type":"string","format":"email","maxLength":254}""")]
    public void Grammar_OfThisSchema_IsReadByLlamaCppAndTheEngine(string schema) => ShouldBeRead(GrammarOf(schema));

    [Fact]
    public void Grammar_ForAnyObject_IsReadByLlamaCppAndTheEngine() => ShouldBeRead(JsonGrammar.AnyObject);

    [Fact]
    public void Grammars_OfDrawnSchemas_AreReadByLlamaCppAndTheEngine()
    {
        for (int seed = 0; seed < 30; seed++)
        {
            JsonElement schema = JsonSerializer.SerializeToElement(SchemaGenerator.Draw(new Random(seed)));
            if (JsonGrammar.TryFromSchema(schema, out string? grammar, out _))
                ShouldBeRead(grammar);
        }
    }

    [Fact]
    public void Answers_GuidedTokenByToken_EndAndValidate()
    {
        JsonSchema validator = JsonSchema.FromText(Ticket);
        using INativeModel model = TestModels.Load(TestModels.Tiny);
        TokenTable table = new(model.VocabularySize, token => model.Piece(token).ToArray(), model.IsEndOfGeneration);
        Grammar grammar = Grammar.TryParse(GrammarOf(Ticket), out string? error) ?? throw new ArgumentException(error);
        for (int seed = 0; seed < 20; seed++)
        {
            string answer = Follow(new GrammarGuide(grammar, table), table, new Random(seed));
            validator.Evaluate(JsonDocument.Parse(answer).RootElement, new EvaluationOptions { RequireFormatValidation = true }).IsValid.ShouldBeTrue(answer);
        }
    }

    /// <summary>Goes on with tokens that are allowed until the answer may end; printable ones, whose characters no validator counts otherwise.</summary>
    private static string Follow(GrammarGuide guide, TokenTable table, Random random)
    {
        List<byte> answer = [];
        for (int step = 0; step < 2_000; step++)
        {
            float[] logits = new float[table.Size];
            guide.Forbid(logits);
            int[] allowed = [.. Enumerable.Range(0, table.Size).Where(token => logits[token] == 0)];
            if (allowed.Any(table.IsEndOfGeneration))
                return Encoding.UTF8.GetString([.. answer]);
            int[] printable = [.. allowed.Where(token => !table.Piece(token).Span.ContainsAnyExceptInRange((byte)' ', (byte)'~'))];
            int next = printable[random.Next(printable.Length)];
            guide.TryAccept(next).ShouldBeTrue();
            answer.AddRange(table.Piece(next).Span);
        }
        throw new InvalidOperationException("The answer does not end.");
    }

    private static void ShouldBeRead(string gbnf)
    {
        Grammar.TryParse(gbnf, out string? error).ShouldNotBeNull($"{error}\n{gbnf}");
        // It throws where llama.cpp does not read it.
        new LlamaGrammarOracle(TestModels.File(TestModels.Tiny), gbnf).Dispose();
    }

    private static string GrammarOf(string schema)
    {
        JsonGrammar.TryFromSchema(JsonDocument.Parse(schema).RootElement, out string? grammar, out SchemaError? error).ShouldBeTrue($"{error}");
        return grammar;
    }
}
