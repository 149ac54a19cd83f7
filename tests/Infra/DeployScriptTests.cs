using System.Runtime.Versioning;
using OllamaMax.TestKit;

namespace OllamaMax.Infra.Tests;

/// <summary>infra/deploy-edges.sh as azd calls it; what it publishes with and deploys with are the only parts that are played.</summary>
[SupportedOSPlatform("linux")]
public sealed class DeployScriptTests : IDisposable
{
    private readonly TempFolder _bin = new();

    public DeployScriptTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The script is for Linux and macOS.");
        foreach (string tool in (string[])["dotnet", "zip", "az"])
        {
            string file = _bin.File(tool);
            // dotnet publish -o FOLDER makes that folder.
            File.WriteAllText(file, $"#!/bin/sh\necho \"{tool} $*\" >> {_bin.File("asked")}\n[ {tool} != dotnet ] || mkdir -p \"$6\"\n");
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Fact]
    public async Task Others_SeveralEdges_HaveItFromTheSecondOn()
    {
        Script script = await DeployAsync("""["omx-abc-0","omx-abc-1","omx-abc-2"]""");

        script.ExitCode.ShouldBe(0, script.Errors);
        string[] deployed = [.. (await File.ReadAllLinesAsync(_bin.File("asked"), TestContext.Current.CancellationToken)).Where(line => line.StartsWith("az ", StringComparison.Ordinal))];
        deployed.Select(line => line.Split("--src")[0].Trim()).ShouldBe(
        [
            "az functionapp deployment source config-zip --resource-group rg --name omx-abc-1",
            "az functionapp deployment source config-zip --resource-group rg --name omx-abc-2",
        ]);
    }

    [Fact]
    public async Task Others_OneEdge_NothingIsDone()
    {
        Script script = await DeployAsync("""["omx-abc-0"]""");

        script.ExitCode.ShouldBe(0, script.Errors);
        File.Exists(_bin.File("asked")).ShouldBeFalse();
    }

    public void Dispose() => _bin.Dispose();

    private Task<Script> DeployAsync(string apps) => Script.RunAsync("bash", [Repository.File("infra", "deploy-edges.sh"), "--others"], new Dictionary<string, string?>
    {
        ["PATH"] = $"{_bin.Path}:{Environment.GetEnvironmentVariable("PATH")}",
        ["AZURE_RESOURCE_GROUP"] = "rg",
        ["EDGE_APPS"] = apps,
    });
}
