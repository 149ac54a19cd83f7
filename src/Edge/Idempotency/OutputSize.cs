using OllamaMax.Jobs;

namespace OllamaMax.Edge.Idempotency;

/// <summary>Estimates what an output holds in memory, beside the entry itself.</summary>
internal static class OutputSize
{
    /// <summary>Objects and array headers around a value that is no text.</summary>
    private const int ObjectBytes = 48;

    public static long Of(JobOutput output) => output switch
    {
        JobOutput.Delta delta => Of(delta.Text) + Of(delta.Thinking) + delta.ToolCalls.Sum(Of) + delta.Logprobs.Sum(Of),
        JobOutput.Embedding embedding => ObjectBytes + (embedding.Vector.Length * sizeof(float)),
        _ => 0,
    };

    private static long Of(string text) => text.Length * sizeof(char);

    private static long Of(ToolCall call) => ObjectBytes + Of(call.Name) + Of(call.Arguments.GetRawText());

    private static long Of(TokenText token) => (2 * ObjectBytes) + token.Piece.Length + token.Logprobs.Top.Sum(top => ObjectBytes + top.Piece.Length);
}
