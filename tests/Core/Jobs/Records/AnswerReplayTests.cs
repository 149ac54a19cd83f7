using System.Runtime.InteropServices;
using System.Text;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;

namespace OllamaMax.Core.Tests.Jobs.Records;

public sealed class AnswerReplayTests
{
    [Fact]
    public void Append_OfAnEmbeddingJob_CountsVectorsAndHasNoText()
    {
        AnswerReplay replay = new(Job() with { EmbedInputs = ["one", "two", "three"] });
        Chunk first = new(0, [3, 4], [8, 8], [.. Bytes(1, 2), .. Bytes(3, 4)]), second = new(2, [5], [8], Bytes(5, 6));

        replay.Append(first).ShouldSatisfyAllConditions(delta => delta.Text.ShouldBeEmpty(), delta => delta.Tokens.ShouldBe(2));
        replay.Append(second).Tokens.ShouldBe(3);

        replay.Vectors(first).Concat(replay.Vectors(second)).Select(vector => (vector.Index, vector.Tokens, string.Join(' ', vector.Vector)))
            .ShouldBe([(0, 3, "1 2"), (1, 4, "3 4"), (2, 5, "5 6")]);
        replay.Complete(FinishReason.Stop).Text.ShouldBeEmpty();
    }

    [Fact]
    public void Append_OfAnAnswer_HasTextAndNoVectors()
    {
        AnswerReplay replay = new(Job());
        Chunk chunk = new(0, [7], [2], "hi"u8.ToArray());

        replay.Append(chunk).Text.ShouldBe("hi");
        replay.Vectors(chunk).ShouldBeEmpty();
    }

    [Fact]
    public void Append_LogprobsAskedFor_ComeWithTheirText()
    {
        AnswerReplay replay = new(Job() with { Options = new() { TopLogprobs = 0 }, Stop = ["<s>"] });

        Told(replay.Append(Chunk(0, "a"))).ShouldBe("a:0");
        Told(replay.Append(Chunk(1, "<"))).ShouldBe(":");
        Told(replay.Append(Chunk(2, "b"))).ShouldBe("<b:1,2");
        Told(replay.Append(Chunk(3, ""))).ShouldBe(":");
        Told(replay.Complete(FinishReason.Stop)).ShouldBe(":3");
    }

    private static string Told(JobOutput.Delta delta) => $"{delta.Text}:{string.Join(',', delta.Logprobs.Select(token => token.Token))}";

    private static Chunk Chunk(int index, string text) => new(index, [index], [text.Length], Encoding.UTF8.GetBytes(text), Logprobs: [new(-1, [])]);

    private static byte[] Bytes(params float[] vector) => MemoryMarshal.AsBytes<float>(vector).ToArray();

    private static Job Job() => new()
    {
        Id = "j",
        RequestId = "r",
        Tenant = "t",
        Model = "sha256:0",
        Prompt = "",
        Options = new InferenceOptions(),
        Seed = 1,
        Deadline = TimeSpan.FromMinutes(10),
    };
}
