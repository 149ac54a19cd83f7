using System.Text.RegularExpressions;
using OllamaMax.Inference.Packages;

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
    [InlineData("packaging/linux/ollamamax-worker.service", "GpuWorker.dll (run .+)")]
    [InlineData("packaging/windows/install.ps1", "GpuWorker.dll`\" (run .+) \\$Options")]
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
