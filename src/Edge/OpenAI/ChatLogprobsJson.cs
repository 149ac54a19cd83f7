using System.Text.Json;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.OpenAI;

/// <summary>
/// <c>"logprobs":{"content":[{"token","logprob","bytes","top_logprobs":[…]}],"refusal":null}</c>; null where there are none. They are those of
/// all tokens that the model wrote, reasoning and calls included.
/// </summary>
internal static class ChatLogprobsJson
{
    public static void Write(Utf8JsonWriter json, IReadOnlyList<TokenText> tokens)
    {
        if (tokens.Count == 0)
        {
            json.WriteNull("logprobs"u8);
            return;
        }
        json.WriteStartObject("logprobs"u8);
        WriteTokens(json, "content"u8, tokens);
        json.WriteNull("refusal"u8);
        json.WriteEndObject();
    }

    /// <summary><c>[{"token","logprob","bytes","top_logprobs":[…]}]</c>.</summary>
    public static void WriteTokens(Utf8JsonWriter json, ReadOnlySpan<byte> name, IReadOnlyList<TokenText> tokens)
    {
        json.WriteStartArray(name);
        foreach (TokenText token in tokens)
            WriteToken(json, token);
        json.WriteEndArray();
    }

    private static void WriteToken(Utf8JsonWriter json, TokenText token)
    {
        json.WriteStartObject();
        TokenJson.Write(json, token.Piece, token.Logprobs.Logprob);
        json.WriteStartArray("top_logprobs"u8);
        foreach (TopLogprob top in token.Logprobs.Top)
        {
            json.WriteStartObject();
            TokenJson.Write(json, top.Piece, top.Logprob);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
