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
}
