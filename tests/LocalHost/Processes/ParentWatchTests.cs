using OllamaMax.LocalHost.Processes;

namespace OllamaMax.LocalHost.Tests.Processes;

public sealed class ParentWatchTests
{
    [Theory]
    [InlineData(true, "dotnet", "run", "--project", "src/LocalHost")]
    [InlineData(true, "/usr/share/dotnet/dotnet", "run")]
    [InlineData(false, "dotnet", "exec", "testhost.dll")]
    [InlineData(false, "bash", "run")]
    [InlineData(false, "dotnet")]
    public void IsDotnetRun_CommandLine_TellsThem(bool expected, params string[] commandLine) =>
        ParentWatch.IsDotnetRun(commandLine).ShouldBe(expected);
}
