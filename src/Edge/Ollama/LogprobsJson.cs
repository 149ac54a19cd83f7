using System.Text.Json;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Ollama;

/// <summary>
/// <c>"logprobs":[{"token","logprob","bytes","top_logprobs":[{"token","logprob","bytes"}]}]</c>, left out where there are none, as are empty
/// lists in it. A token that is part of a character has U+FFFD in its text; its bytes are exact.
/// </summary>
internal static class LogprobsJson
{
    public static void Write(Utf8JsonWriter json, IReadOnlyList<TokenText> tokens)
    {
        if (tokens.Count == 0)
            return;
        json.WriteStartArray("logprobs"u8);
        foreach (TokenText token in tokens)
        {
            json.WriteStartObject();
            TokenJson.Write(json, token.Piece, token.Logprobs.Logprob);
            if (token.Logprobs.Top.Count > 0)
                WriteTop(json, token.Logprobs.Top);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteTop(Utf8JsonWriter json, IReadOnlyList<TopLogprob> top)
    {
        json.WriteStartArray("top_logprobs"u8);
        foreach (TopLogprob one in top)
        {
            json.WriteStartObject();
            TokenJson.Write(json, one.Piece, one.Logprob);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
