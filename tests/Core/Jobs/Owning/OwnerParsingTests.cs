using System.Text;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Owning;

namespace OllamaMax.Core.Tests.Jobs.Owning;

public sealed class OwnerParsingTests
{
    private const string Answer = "<think>\nhm\n</think>\n\nLook: <tool_call>\n{\"name\":\"f\",\"arguments\":{}}\n</tool_call>";

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1000)]
    public void Received_ReasoningAndCalls_ReachTheReaderApart(int size)
    {
        JobOwner owner = new(Job(), new OwnerOptions(), () => "n", TimeSpan.Zero);
        owner.Start();
        owner.Placed("w", TimeSpan.Zero);
        owner.Prepared("n", TimeSpan.Zero);
        byte[] bytes = Encoding.UTF8.GetBytes(Answer);
        for (int i = 0; i < bytes.Length; i += size)
        {
            byte[] piece = bytes[i..Math.Min(i + size, bytes.Length)];
            owner.Received("w", "n", new Chunk(i / size, [1], [piece.Length], piece), TimeSpan.Zero);
        }
        int tokens = (bytes.Length + size - 1) / size;
        owner.Received("w", "n", new Chunk(tokens, [], [], [], End: new AttemptEnd { Reason = EndReason.Stop }), TimeSpan.Zero);

        JobOutput[] outputs = [.. owner.TakeEffects().OfType<OwnerEffect.Emit>().Select(emit => emit.Output)];
        JobOutput.Delta[] deltas = [.. outputs.OfType<JobOutput.Delta>()];
        string.Concat(deltas.Select(delta => delta.Thinking)).ShouldBe("hm\n");
        string.Concat(deltas.Select(delta => delta.Text)).ShouldBe("Look:");
        deltas.SelectMany(delta => delta.ToolCalls).ShouldHaveSingleItem().Name.ShouldBe("f");
        deltas.ShouldAllBe(delta => delta.Text.Length + delta.Thinking.Length + delta.ToolCalls.Count > 0);
        outputs[^1].ShouldBeOfType<JobOutput.Finished>().Statistics.Tokens.ShouldBe(tokens);
    }

    private static Job Job() => new()
    {
        Id = "job",
        RequestId = "request",
        Tenant = "tenant",
        Model = "sha256:" + new string('0', 64),
        Prompt = "prompt",
        Options = new InferenceOptions(),
        Seed = 1,
        Parsing = new() { Thinking = new("<think>", "</think>", IsOpen: false), ToolCalls = ToolCallForm.Hermes },
        Deadline = TimeSpan.FromMinutes(1),
    };
}
