using System.Text;
using System.Text.Json;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Assembling;

namespace OllamaMax.Edge.Tests.Support;

internal sealed record StartedJob(Job Job, JobOutputLog Log, CancellationToken ClientGone)
{
    public static readonly JobStatistics Statistics = new()
    {
        TotalDuration = TimeSpan.FromMilliseconds(50),
        LoadDuration = TimeSpan.FromTicks(12),
        PromptTokens = 7,
        CachedTokens = 3,
        DraftedTokens = 5,
        AcceptedTokens = 1,
        PromptDuration = TimeSpan.FromMilliseconds(20),
        Tokens = 2,
        EvalDuration = TimeSpan.FromMilliseconds(25),
        Attempts = 1,
    };

    public StartedJob Accept()
    {
        Log.Append(new JobOutput.Accepted("w1"));
        return this;
    }

    public StartedJob Say(string text, int tokens = 1)
    {
        Log.Append(new JobOutput.Delta(text, tokens));
        return this;
    }

    public StartedJob Say(JobOutput output)
    {
        Log.Append(output);
        return this;
    }

    /// <summary>What the model writes, in pieces of some bytes, taken apart as the job says.</summary>
    public StartedJob Write(string raw)
    {
        Assembler assembler = new(Job.Stop, Job.Parsing);
        foreach (byte[] piece in Encoding.UTF8.GetBytes(raw).Chunk(16))
            Tell(assembler.Append(piece));
        return Tell(assembler.Complete());

        StartedJob Tell(Assembled piece) =>
            piece.IsEmpty ? this : Say(new JobOutput.Delta(piece.Text, assembler.Tokens) { Thinking = piece.Thinking, ToolCalls = piece.ToolCalls });
    }

    public StartedJob Think(string thinking) => Say(new JobOutput.Delta("", 1) { Thinking = thinking });

    public StartedJob Call(params (string Name, string Arguments)[] calls) =>
        Say(new JobOutput.Delta("", 1) { ToolCalls = [.. calls.Select(call => new ToolCall(call.Name, JsonElement.Parse(call.Arguments)))] });

    public StartedJob Embed(params float[][] vectors)
    {
        for (int i = 0; i < vectors.Length; i++)
            Say(new JobOutput.Embedding(i, Tokens: 3, vectors[i]));
        return this;
    }

    public void Finish(FinishReason reason = FinishReason.Stop, string? stoppedBy = null) =>
        Log.Append(new JobOutput.Finished(reason, Statistics) { StoppedBy = stoppedBy });

    public void Fail(JobErrorKind kind, string message, TimeSpan? retryAfter = null) =>
        Fail(new JobError(kind, message) { RetryAfter = retryAfter });

    public void Fail(JobError error) => Log.Append(new JobOutput.Failed(error));

    /// <summary>Completes when the edge says that nobody wants the answer any more.</summary>
    public Task WhenGoneAsync()
    {
        TaskCompletionSource gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
        ClientGone.Register(gone.SetResult);
        return gone.Task.WaitAsync(TestContext.Current.CancellationToken);
    }
}
