using System.Text;
using System.Text.Json;
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
            WriteToken(json, token.Piece, token.Logprobs.Logprob);
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
            WriteToken(json, one.Piece, one.Logprob);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteToken(Utf8JsonWriter json, byte[] piece, float logprob)
    {
        json.WriteString("token"u8, Encoding.UTF8.GetString(piece));
        // A token that was forbidden has none; JSON has no word for that, and this is as good as never.
        json.WriteNumber("logprob"u8, float.IsFinite(logprob) ? logprob : float.MinValue);
        if (piece.Length == 0)
            return;
        json.WriteStartArray("bytes"u8);
        foreach (byte value in piece)
            json.WriteNumberValue(value);
        json.WriteEndArray();
    }
}
