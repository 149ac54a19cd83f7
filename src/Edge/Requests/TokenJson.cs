using System.Text;
using System.Text.Json;

namespace OllamaMax.Edge.Requests;

/// <summary>
/// <c>"token","logprob","bytes"</c>, as the APIs have it in common. A token that is part of a character has U+FFFD in its text; its bytes are exact.
/// </summary>
internal static class TokenJson
{
    public static string TextOf(byte[] piece) => Encoding.UTF8.GetString(piece);

    /// <summary>A token that was forbidden has none; JSON has no word for that, and this is as good as never.</summary>
    public static float Finite(float logprob) => float.IsFinite(logprob) ? logprob : float.MinValue;

    /// <summary>The fields; without bytes where there are none.</summary>
    public static void Write(Utf8JsonWriter json, byte[] piece, float logprob)
    {
        json.WriteString("token"u8, TextOf(piece));
        json.WriteNumber("logprob"u8, Finite(logprob));
        if (piece.Length == 0)
            return;
        json.WriteStartArray("bytes"u8);
        foreach (byte value in piece)
            json.WriteNumberValue(value);
        json.WriteEndArray();
    }
}
