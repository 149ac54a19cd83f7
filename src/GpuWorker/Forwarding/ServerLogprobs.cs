using System.Text;
using System.Text.Json;
using OllamaMax.Jobs;

namespace OllamaMax.GpuWorker.Forwarding;

/// <summary>
/// A text with what the server says of its tokens, <c>[{"token","logprob","bytes","top_logprobs":[…]}]</c> in both APIs: a piece for each token where
/// these make up the text, otherwise the text in one piece.
/// </summary>
internal static class ServerLogprobs
{
    public static IEnumerable<ServerPiece> Pieces(int kind, string text, IEnumerable<JsonElement> tokens)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        ServerPiece[] pieces = [.. tokens.Select(token => new ServerPiece(kind, BytesOf(token), Read(token)))];
        if (pieces.Length > 0 && pieces.SelectMany(piece => piece.Bytes.ToArray()).SequenceEqual(bytes))
            return pieces;
        return bytes.Length == 0 ? [] : [new ServerPiece(kind, bytes)];
    }

    private static TokenLogprobs? Read(JsonElement token) => Logprob(token) is { } logprob
        ? new(logprob, [.. from top in token.Items("top_logprobs") let likely = Logprob(top) where likely is not null select new TopLogprob(PieceKind.Text, BytesOf(top), likely.Value)])
        : null;

    private static float? Logprob(JsonElement token) => token.Find("logprob") is { ValueKind: JsonValueKind.Number } number ? number.GetSingle() : null;

    /// <summary>A token that is a part of a character is exact in its bytes only.</summary>
    private static byte[] BytesOf(JsonElement token)
    {
        byte[] bytes = [.. token.Items("bytes").Select(value => value.TryGetByte(out byte one) ? one : (byte)0)];
        return bytes.Length > 0 ? bytes : Encoding.UTF8.GetBytes(token.Text("token") ?? "");
    }
}
