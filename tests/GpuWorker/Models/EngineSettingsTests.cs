using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OllamaMax.GpuWorker.Models;
using OllamaMax.GpuWorker.Processes;
using OllamaMax.Inference;
using OllamaMax.Inference.Devices;
using OllamaMax.Inference.Tests.Batching;
using OllamaMax.Jobs;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Models;

namespace OllamaMax.GpuWorker.Tests.Models;

/// <summary>
/// Options on their way from the command line into the native context of a model's process. That they have arrived is seen by what it computes: the same prompt at the same
/// temperature has other probabilities, in their last digits at least, where keys and values are kept or attention is computed in another way, and nowhere else.
/// </summary>
[Collection(nameof(ModelProcesses))]
public sealed class EngineSettingsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task CacheTypeAndFlashAttention_EachOfThem_IsWhatTheModelComputesWith()
    {
        // Attention in one pass rounds what an F32 cache keeps to half precision, and a quantized cache needs it.
        string f32 = await ComputeAsync("--cache-type", "F32", "--flash-attention", "Off"), f16 = await ComputeAsync("--cache-type", "F16", "--flash-attention", "Off");
        string flash = await ComputeAsync("--flash-attention", "On");
        string q8 = await ComputeAsync("--cache-type", "Q8", "--flash-attention", "On"), q4 = await ComputeAsync("--cache-type", "Q4", "--flash-attention", "On");

        ((string[])[f32, f16, flash, q8, q4]).ShouldBeUnique();
        (await ComputeAsync("--exact", "--cache-type", "Q4", "--flash-attention", "On")).ShouldBe(f32);
    }

    /// <summary>What a layer on a GPU computes shows only where there is one; that the process loads with this number, everywhere.</summary>
    [Fact]
    public async Task GpuLayers_ANumber_IsWhatTheModelsProcessLoadsWith()
    {
        await using LoadedEngine loaded = await LoadAsync("--gpu-layers", "1");

        loaded.GpuLayers.ShouldBe(1);
    }

    [Fact]
    public void KeptPromptsAndPromptCache_NumbersOrNone_AreTheEngines()
    {
        PrefixBytes("--prompt-cache", "1.5G").ShouldBe(3L << 29);
        PrefixBytes("--prompt-cache", "0").ShouldBe(0);
        PrefixBytes("--models", "4").ShouldBe(HostMemory.Total / 16 / 4);

        EngineSettings.For(WorkerCommand.Read(Parse("--kept-prompts", "0"))).CachedPrompts.ShouldBe(0);

        static long PrefixBytes(params string[] options) => EngineSettings.For(WorkerCommand.Read(Parse(options))).PrefixBytes;
    }

    [Fact]
    public void DraftTokens_ANumber_IsTheEngines() => EngineSettings.For(WorkerCommand.Read(Parse("--draft-tokens", "0"))).DraftTokens.ShouldBe(0);

    [Fact]
    public void Measure_OnGpus_TellsWhatIsThereIfAllLayersAre()
    {
        string model = _folder.File("model.gguf");
        GgufGenerator.Write(model, new GgufSpec());
        InferenceDevice[] large = [new("GPU0", "CUDA", "a card", DeviceKind.Gpu, 8L << 30, 8L << 30)], small = [large[0] with { FreeBytes = 1 << 20 }];

        MemoryNeed need = Measure(large);

        need.Vram.ShouldBe(need.Total);
        Measure([]).ShouldBe(need with { Vram = 0 });
        Measure(small).ShouldBe(need with { Vram = 0 });
        Measure(large, "--gpu-layers", "0").Vram.ShouldBe(0);

        MemoryNeed Measure(InferenceDevice[] gpus, params string[] options) =>
            EngineSettings.Measure(model, WorkerCommand.Read(Parse([.. options, "--threads", "1", "--slots", "2"])), gpus);
    }

    [Theory]
    [InlineData("--cache-type", "Q5")]
    [InlineData("--flash-attention", "perhaps")]
    [InlineData("--gpu-layers", "many")]
    public void Parse_NoSuchValue_IsRefused(string option, string value) => Parse(option, value).Errors.ShouldNotBeEmpty();

    [Theory]
    [InlineData("--gpu-layers", "-2")]
    [InlineData("--kept-prompts", "192")]
    [InlineData("--prompt-cache", "-1")]
    [InlineData("--draft-tokens", "64")]
    [InlineData("--prompt-cache", "much")]
    [InlineData("--memory", "0")]
    [InlineData("--cache-type", "Q4", "--flash-attention", "Off")]
    public void Read_WhatCannotBe_IsRefused(params string[] options) => Should.Throw<ArgumentException>(() => WorkerCommand.Read(Parse(options)));

    private static System.CommandLine.ParseResult Parse(params string[] options) => WorkerCommand.Create().Parse(["run", "--edge", "http://127.0.0.1:1", .. options]);

    /// <summary>Tokens and their probabilities, to the last digit.</summary>
    private async Task<string> ComputeAsync(params string[] options)
    {
        await using LoadedEngine loaded = await LoadAsync(options);
        CollectingSink sink = new();
        EngineRequest request = new()
        {
            Prompt = "What is kept of these words is kept in the cache, and read again for each word that comes.",
            Seed = 7,
            Options = new InferenceOptions { Temperature = 0, NumPredict = 8, TopLogprobs = 0 },
        };
        (await loaded.Engine.RunAsync(request, sink, Cancellation)).Reason.ShouldBe(EndReason.Length);
        return string.Join(' ', sink.Tokens.Zip(sink.Logprobs, static (token, said) => $"{token}:{said.Logprob:R}"));
    }

    private Task<LoadedEngine> LoadAsync(params string[] options)
    {
        string model = _folder.File("model.gguf");
        // Heads of 64: a block of a quantized cache has 32 values of one head.
        if (!File.Exists(model))
            GgufGenerator.Write(model, new GgufSpec { Width = 256, Heads = 4, KeyValueHeads = 2, FeedForward = 512 });
        ProcessEngineLoader loader = new(
            Options.Create(WorkerCommand.Read(Parse([.. options, "--threads", "1", "--slots", "1"]))), NullLoggerFactory.Instance, TimeProvider.System);
        return loader.LoadAsync(model, long.MaxValue, new Progress<float>(), Cancellation);
    }
}
