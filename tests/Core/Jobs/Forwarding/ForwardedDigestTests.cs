using OllamaMax.Jobs;
using OllamaMax.Jobs.Forwarding;
using OllamaMax.Models;

namespace OllamaMax.Core.Tests.Jobs.Forwarding;

public sealed class ForwardedDigestTests
{
    [Fact]
    public void Of_TheSameModelOnTwoBoxes_IsTheSame()
    {
        ForwardedDigest.Of("ollama", "qwen3:4b", "abc").ShouldBe(ForwardedDigest.Of("ollama", "qwen3:4b", "abc"));
        ForwardedDigest.Of("ollama", "qwen3:4b", "abc").ShouldNotBe(ForwardedDigest.Of("ollama", "qwen3:4b", "abd"));
        ForwardedDigest.Of("ollama", "qwen3:4b", null).ShouldNotBe(ForwardedDigest.Of("openai", "qwen3:4b", null));
    }

    [Fact]
    public void Is_Forwarded_SaysSoAndHasItsOwnQueue()
    {
        string one = ForwardedDigest.Of("ollama", "a", null), other = ForwardedDigest.Of("ollama", "b", null);

        ForwardedDigest.Is(one).ShouldBeTrue();
        ModelDigest.IsValid(one).ShouldBeTrue();
        JobQueueName.For(one, Band.Batch).ShouldNotBe(JobQueueName.For(other, Band.Batch));
    }

    [Fact]
    public void Is_Weights_SaysNo()
    {
        for (byte content = 0; content < 100; content++)
            ForwardedDigest.Is(ModelDigest.Of([content])).ShouldBeFalse();
        ForwardedDigest.Is("no digest").ShouldBeFalse();
    }
}
