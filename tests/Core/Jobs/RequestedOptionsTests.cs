using OllamaMax.Jobs;

namespace OllamaMax.Core.Tests.Jobs;

public sealed class RequestedOptionsTests
{
    /// <summary>DefaultOptions of Ollama's api/types.go.</summary>
    [Fact]
    public void ToInference_NothingSaid_IsWhatOllamaDoes()
    {
        InferenceOptions options = new RequestedOptions().ToInference();

        (options.Temperature, options.TopK, options.TopP, options.MinP, options.TypicalP).ShouldBe((0.8f, 40, 0.9f, 0, 1));
        (options.RepeatPenalty, options.RepeatLastN, options.PresencePenalty, options.FrequencyPenalty).ShouldBe((1, 64, 0, 0));
        (options.NumPredict, options.NumKeep, options.NumCtx).ShouldBe((-1, 4, null));
    }
}
