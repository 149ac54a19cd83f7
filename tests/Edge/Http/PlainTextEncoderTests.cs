using System.Text.Json;
using CsCheck;

namespace OllamaMax.Edge.Tests.Http;

public sealed class PlainTextEncoderTests
{
    private static readonly JsonSerializerOptions Options = new() { Encoder = Edge.Http.Json.Encoder };

    [Theory]
    [InlineData("\n😀a😀\"<&+'é漢", "\"\\n😀a😀\\\"<&+'é漢\"")]
    [InlineData("\u0000\u2028", "\"\\u0000\\u2028\"")]
    public void Serialize_Text_EscapesOnlyWhatMustBe(string text, string json) =>
        JsonSerializer.Serialize(text, Options).ShouldBe(json);

    [Fact]
    public void Serialize_HalfAPair_BecomesReplacement() =>
        JsonSerializer.Serialize("a" + '\ud83d', Options).ShouldBe("\"a\uFFFD\"");

    [Fact]
    public void Serialize_AnyText_ReadsBackTheSame() =>
        Gen.OneOf("a", "\"", "\\", "\n", "😀", "é", "\u2028", "\u0001", "漢").Array[0, 40].Select(string.Concat)
            .Sample(text => JsonSerializer.Deserialize<string>(JsonSerializer.Serialize(text, Options)).ShouldBe(text));
}
