using System.Diagnostics;
using OllamaMax.GpuWorker.Processes;
using OllamaMax.Inference.Devices;
using OllamaMax.Inference.Native;
using OllamaMax.Inference.Native.LlamaCpp;
using OllamaMax.TestKit;

namespace OllamaMax.GpuWorker.Tests.Engines;

/// <summary>The process that looks for devices, over folders of libraries as packages and operators may leave them.</summary>
public sealed class DeviceProcessTests : IDisposable
{
    private readonly TempFolder _folder = new();

    [Fact]
    public async Task Run_ALibraryForGpusThatCannotBeLoaded_SaysWhy()
    {
        CopyLibraries(processors: "");
        File.WriteAllText(_folder.File(OperatingSystem.IsWindows() ? "ggml-cuda.dll" : "libggml-cuda.so"), "no library");

        (string output, string errors) = await RunAsync();

        DeviceProbe.Read(output).ShouldNotBeNull().ShouldHaveSingleItem().Kind.ShouldBe(DeviceKind.Cpu);
        errors.ShouldContain("ggml-cuda");
        errors.ShouldContain("cannot be loaded: ");
        errors.Trim().ShouldNotContain('\n');
    }

    [Fact]
    public async Task Run_NothingUsableButInTheFallback_UsesThat()
    {
        // Without a GPU here, the processor's libraries stand for it.
        CopyLibraries(processors: "fallback");

        (string output, string errors) = await RunAsync();

        DeviceProbe.Read(output).ShouldNotBeNull().ShouldHaveSingleItem().Kind.ShouldBe(DeviceKind.Cpu);
        errors.ShouldBeEmpty();
    }

    public void Dispose() => _folder.Dispose();

    private void CopyLibraries(string processors)
    {
        foreach (string file in Directory.EnumerateFiles(LlamaLocator.FindDirectory()))
        {
            string name = Path.GetFileName(file);
            if (name.Contains("ggml-cuda", StringComparison.Ordinal) || name.Contains("ggml-vulkan", StringComparison.Ordinal))
                continue;
            string to = name.Contains("ggml-cpu", StringComparison.Ordinal) ? processors : "";
            Directory.CreateDirectory(Path.Combine(_folder.Path, to));
            File.Copy(file, Path.Combine(_folder.Path, to, name));
        }
    }

    private async Task<(string Output, string Errors)> RunAsync()
    {
        Assert.SkipUnless(NativeModels.IsLlamaCpp(NativeKind.Default), "LLamaSharp tells no devices.");
        ProcessStartInfo start = new("dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "OllamaMax.GpuWorker.dll"), EngineCommand.Devices])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[LlamaLocator.Variable] = _folder.Path;
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (output, await errors);
    }
}
