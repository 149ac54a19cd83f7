using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OllamaMax.GpuWorker.Models;
using OllamaMax.GpuWorker.Processes;
using OllamaMax.Inference;
using OllamaMax.Inference.Native;
using OllamaMax.Inference.Tests.Batching;
using OllamaMax.Jobs;

namespace OllamaMax.GpuWorker.Tests.Engines;

/// <summary>The batching engine in a process of its own: the contract, and what becomes of that process.</summary>
[Collection(nameof(ModelProcesses))]
public sealed class ProcessEngineTests : EngineContract
{
    [Theory]
    [InlineData("KILL", 9)]
    [InlineData("ABRT", 6)]
    public async Task RunAsync_ProcessEndsMidAnswer_JobsFailAndTheEngineIsBroken(string signal, int number)
    {
        await using LoadedEngine loaded = await LoadAsync();
        var engine = (ProcessEngine)loaded.Engine;
        // So much work that it cannot be done before the signal comes, however fast the machine is.
        CollectingSink[] sinks = [.. Enumerable.Range(0, 400).Select(_ => new CollectingSink())];
        Task<AttemptEnd>[] jobs = [.. sinks.Select(sink => engine.RunAsync(Greedy("hello", 400), sink, Cancellation).AsTask())];
        await Task.WhenAny(sinks.Select(sink => sink.WaitForAsync(2)));

        await SignalAsync(signal, engine.Pid, untilGone: true);

        AttemptEnd[] ends = await Task.WhenAll(jobs);
        ends.ShouldContain(end => end.Reason == EndReason.Failed);
        ends.Where(end => end.Reason == EndReason.Failed).ShouldAllBe(end => end.Error == $"the model's process ended (signal {number})" && end.Crashed == (signal == "ABRT"));
        sinks.Zip(ends).ShouldContain(job => job.First.Tokens.Length > 0 && job.Second.Reason == EndReason.Failed);
        await engine.Broken.WaitAsync(Cancellation);
        (await RunAsync(loaded, Greedy("hello"))).End.Reason.ShouldBe(EndReason.Failed);
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public async Task RunAsync_SignalForTheWholeGroup_GoesOn(string signal)
    {
        await using LoadedEngine loaded = await LoadAsync();
        var engine = (ProcessEngine)loaded.Engine;

        await SignalAsync(signal, engine.Pid);

        (await RunAsync(loaded, Greedy("hello"))).End.Reason.ShouldBe(EndReason.Length);
    }

    [Fact]
    public async Task RunAsync_AnyRequest_HasTheTokensOfAnEngineInThisProcess()
    {
        await using LoadedEngine own = await LoadAsync();
        await using LoadedEngine here = await new LlamaEngineLoader(Options.Create(OptionsOf(own)), NullLoggerFactory.Instance, TimeProvider.System)
            .LoadAsync(Model, long.MaxValue, new Progress<float>(), Cancellation);
        EngineRequest request = Greedy("hello") with { Options = new InferenceOptions { Temperature = 1.3f, MinP = 0.01f, NumPredict = 40 } };

        var (_, there) = await RunAsync(own, request);
        var (_, same) = await RunAsync(here, request);

        there.Tokens.ShouldBe(same.Tokens);
        there.Text.ShouldBe(same.Text);
    }

    [Fact]
    public async Task LoadAsync_BadFile_FailsWithTheWordsOfAnEngineInThisProcess()
    {
        ModelLoadException there = await Should.ThrowAsync<ModelLoadException>(() => LoadAsync("/nowhere/model.gguf"));
        using BatchingEngineTests inProcess = new();
        ModelLoadException here = await Should.ThrowAsync<ModelLoadException>(() => inProcess.LoadAsync("/nowhere/model.gguf"));

        there.Message.ShouldBe(here.Message);
    }

    [Fact]
    public async Task DisposeAsync_Idle_TheProcessIsGone()
    {
        LoadedEngine loaded = await LoadAsync();
        int pid = ((ProcessEngine)loaded.Engine).Pid;

        await loaded.DisposeAsync();

        Directory.Exists($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}").ShouldBeFalse();
    }

    [Fact]
    public async Task Process_Environment_HasNoSecrets()
    {
        string[] secrets = [WorkerOptions.JoinTokenVariable, "AZURE_STORAGE_KEY"];
        foreach (string secret in secrets)
            Environment.SetEnvironmentVariable(secret, "hush");
        try
        {
            await using LoadedEngine loaded = await LoadAsync();

            string environment = await File.ReadAllTextAsync($"/proc/{((ProcessEngine)loaded.Engine).Pid}/environ", Cancellation);

            environment.ShouldNotContain("hush");
            environment.ShouldContain("PATH=");
        }
        finally
        {
            foreach (string secret in secrets)
                Environment.SetEnvironmentVariable(secret, null);
        }
    }

    [Fact]
    public async Task Process_WorkerIsGone_EndsWithIt()
    {
        using ModelProcess process = ModelProcess.Start(_ => { });
        using var writer = new FrameWriter(process.Input, "test");
        writer.Write(FrameKind.Load, 0, new LoadOrder(Model, new Inference.Batching.EngineOptions { ContextPerSlot = 128, Threads = 1 }), EngineJson.Default.LoadOrder);

        writer.Complete();
        await writer.Ended;
        await process.Input.DisposeAsync();

        (await process.Exit.WaitAsync(Cancellation)).ShouldBe(new ProcessEnd("signal 9", WasKilled: true));
    }

    internal override IEngineLoader Loader(WorkerOptions options) =>
        new ProcessEngineLoader(Options.Create(options), NullLoggerFactory.Instance, TimeProvider.System);

    private static WorkerOptions OptionsOf(LoadedEngine loaded) => new()
    {
        Edge = new Uri("http://127.0.0.1:1/"),
        Data = ".",
        Name = "test",
        Slots = loaded.Engine.Slots,
        Threads = 1,
        ContextLength = loaded.ContextPerSlot,
        Exact = true,
    };

    /// <param name="untilGone">The runtime takes the first SIGABRT and restores the default, as abort() raises it twice: it is sent again.</param>
    private static async Task SignalAsync(string signal, int pid, bool untilGone = false)
    {
        string command = $"kill -{signal} {pid.ToString(CultureInfo.InvariantCulture)}";
        using Process kill = Process.Start("/bin/sh", ["-c", untilGone ? $"while {command} 2>/dev/null; do sleep 0.05; done" : command]);
        await kill.WaitForExitAsync(Cancellation);
    }
}
