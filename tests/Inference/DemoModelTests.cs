using OllamaMax.Inference.Tests.Batching;
using OllamaMax.Jobs;

namespace OllamaMax.Inference.Tests;

public sealed class DemoModelTests
{
    [Fact]
    public async Task RunAsync_WhatIsOllamaMax_AnswersReadably()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(TestModels.Demo);
        EngineRequest request = EngineFixture.Greedy("<|im_start|>user\nWhat is OllamaMax?<|im_end|>\n<|im_start|>assistant\n", -1);
        request = request with { Options = request.Options with { RepeatPenalty = 1 } };

        (AttemptEnd end, CollectingSink sink) = await EngineFixture.RunAsync(loaded.Engine, request);

        end.Reason.ShouldBe(EndReason.Stop);
        sink.Text.ShouldBe("OllamaMax is a system for running language models on your own machines. "
            + "Requests arrive at a serverless edge, and a GPU worker that dials out answers it.");
    }
}
