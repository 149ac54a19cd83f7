using System.Diagnostics;
using System.Text.RegularExpressions;
using OllamaMax.Inference.Packages;
using OllamaMax.TestKit;

namespace OllamaMax.GpuWorker.Tests;

public sealed class WorkerCommandTests
{
    [Theory]
    [InlineData("gpu")]
    [InlineData("gpu=")]
    [InlineData("site=berlin")]
    [InlineData("gpu=a100", "GPU=h100")]
    public async Task Run_WrongLabels_EndsBeforeItBegins(params string[] labels)
    {
        string[] arguments = ["run", "--edge", "http://127.0.0.1:1", .. labels.SelectMany(label => new[] { "--label", label })];

        int exitCode = await WorkerCommand.Create().Parse(arguments).InvokeAsync(cancellationToken: TestContext.Current.CancellationToken);

        exitCode.ShouldBe(1);
    }

    [Theory]
    [InlineData("--draft-tokens", "64", "The field --draft-tokens must be between 0 and 63.")]
    [InlineData("--context", "0", "The field --context must be between 64 and 1048576.")]
    [InlineData("--hang-seconds", "0", "The field --hang-seconds must be between 00:00:01 and 01:00:00.")]
    public void Read_OutOfRange_IsSaidByTheOptionsName(string option, string value, string message) =>
        Should.Throw<ArgumentException>(() => WorkerCommand.Read(WorkerCommand.Create().Parse(["run", "--edge", "http://127.0.0.1:1", option, value]))).Message.ShouldBe(message);

    [Theory]
    [InlineData]
    [InlineData("--check")]
    public async Task Run_FolderOfCopiesCannotBeMade_EndsBeforeItIsLetIn(params string[] more)
    {
        using TempFolder data = new();
        await File.WriteAllTextAsync(data.File("file"), "in the way", TestContext.Current.CancellationToken);
        string[] arguments = ["run", "--edge", "http://127.0.0.1:1", "--data", data.Path, "--replicas", Path.Combine(data.File("file"), "replicas"), .. more];

        int exitCode = await WorkerCommand.Create().Parse(arguments).InvokeAsync(cancellationToken: TestContext.Current.CancellationToken);

        exitCode.ShouldBe(1);
    }

    [Fact]
    public async Task Run_NameThatBeginsWithAnAt_IsNoFileOfArguments()
    {
        using TempFolder data = new();
        string[] arguments = [Path.Combine(AppContext.BaseDirectory, "OllamaMax.GpuWorker.dll"), "run", "--check", "--edge", "http://127.0.0.1:1", "--data", data.Path, "--name", "@box"];

        using Process process = Process.Start("dotnet", arguments);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        process.ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task Check_OptionsAndFolderAreGood_EndsWithoutAskingTheEdge()
    {
        using TempFolder data = new();

        int exitCode = await WorkerCommand.Create().Parse(["run", "--check", "--edge", "http://127.0.0.1:1", "--data", data.Path])
            .InvokeAsync(cancellationToken: TestContext.Current.CancellationToken);

        (exitCode, Directory.EnumerateFileSystemEntries(data.File("replicas")).Any()).ShouldBe((0, false));
    }

    [Theory]
    [InlineData("packaging/linux/ollamamax-worker.service", "GpuWorker.dll (run .+)")]
    [InlineData("packaging/windows/install.ps1", "run = \"(run .+) \\$Options")]
    public async Task Run_AsServicesAreSetUp_IsACommandThatItKnows(string file, string pattern)
    {
        string text = await File.ReadAllTextAsync(Path.Combine(RepositoryRoot.Find(), file), TestContext.Current.CancellationToken);
        string command = Regex.Match(text, pattern).Groups[1].Value
            .Replace("${OLLAMAMAX_EDGE}", "https://edge.example", StringComparison.Ordinal)
            .Replace("${OLLAMAMAX_DRAIN_SECONDS}", "120", StringComparison.Ordinal).Replace("$DrainSeconds", "120", StringComparison.Ordinal)
            .Replace(" $OLLAMAMAX_OPTIONS", "", StringComparison.Ordinal);
        command.ShouldStartWith("run ");

        WorkerCommand.Create().Parse(command).Errors.ShouldBeEmpty();
    }
}
