using System.Text.Json;
using OllamaMax.Edge.Idempotency;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Tests.Idempotency;

public sealed class OutputSizeTests
{
    [Fact]
    public void Of_Delta_CountsAllItsParts()
    {
        string text = new('x', 1000);
        JobOutput.Delta delta = new(text, 1)
        {
            Thinking = text,
            ToolCalls = [new(text, JsonElement.Parse($"{{\"a\":\"{text}\"}}"))],
            Logprobs = [new(1, new byte[1000], new(0, [new(1, new byte[1000], 0)]))],
        };

        OutputSize.Of(delta).ShouldBeInRange(10_000, 11_000);
    }

    [Fact]
    public void Of_Embedding_CountsItsVector() =>
        OutputSize.Of(new JobOutput.Embedding(0, 1, new float[1000])).ShouldBeInRange(4000, 4100);
}
