using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using OllamaMax.TestKit;

namespace OllamaMax.Cli.Tests;

/// <summary>Each prerequisite missing in turn: the doctor names that one.</summary>
public sealed class DoctorTests(LocalSystemFixture local)
{
    private static readonly string[] Programs = ["dotnet", "node"];
    private static readonly string[] Checks = ["storage", "signalr", "workers"];

    [Fact]
    public async Task Doctor_AllIsThere_FindsNothingMissing()
    {
        var (code, output, _) = await local.RunAsync("doctor");

        output.ShouldNotContain("MISSING");
        code.ShouldBe(ExitCode.Done);
        output.ShouldContain("workers: is there");
    }

    [Theory]
    [InlineData("dotnet", ".NET SDK")]
    [InlineData("node", "Node.js")]
    public async Task Doctor_ProgramIsMissing_NamesIt(string program, string named)
    {
        using TempFolder folder = new();
        string path = Path.GetDirectoryName(folder.File("bin/x"))!;
        Directory.CreateDirectory(path);
        foreach (string other in Programs.Where(other => other != program))
            File.CreateSymbolicLink(Path.Combine(path, other), Tool.Find(other));

        Finding[] missing = await MissingAsync(("PATH", path), ("OLLAMAMAX_EDGE", local.System.BaseAddress.ToString()));

        missing.Select(finding => finding.Subject).ShouldBe([named]);
        missing[0].Mend.ShouldNotBeNull().ShouldContain("install");
    }

    [Fact]
    public async Task Doctor_NobodyListens_NamesTheEdge()
    {
        Finding[] missing = await MissingAsync(("OLLAMAMAX_EDGE", "http://127.0.0.1:1"));

        missing.Select(finding => finding.Subject).ShouldBe(["edge"]);
    }

    [Theory]
    [InlineData("no edge", "edge")]
    [InlineData("clock", "clock")]
    [InlineData("key", "key")]
    [InlineData("storage", "storage")]
    [InlineData("workers", "workers")]
    public async Task Doctor_EdgeLacksSomething_NamesIt(string lacks, string named)
    {
        await using WebApplication server = await PlayedEdge.StartAsync(context =>
        {
            if (lacks != "no edge")
                context.Response.Headers["x-request-id"] = "1";
            if (lacks == "clock")
                context.Response.Headers.Date = TimeProvider.System.GetUtcNow().AddHours(-1).ToString("R", null);
            if (lacks == "key" && context.Request.Path == "/api/tags")
                context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return context.Response.WriteAsJsonAsync(new
            {
                checks = Checks.Select(name => name == lacks ? new { name, ready = false, reason = (string?)"it is not there" } : new { name, ready = true, reason = (string?)null }),
            });
        });

        Finding[] missing = await MissingAsync(("OLLAMAMAX_EDGE", server.Urls.Single()));

        missing.Select(finding => finding.Subject).ShouldBe([named]);
        missing[0].Mend.ShouldNotBeNullOrEmpty();
    }

    /// <summary>Runs the tool as a process, as PATH is a process's own.</summary>
    private static async Task<Finding[]> MissingAsync(params (string Name, string Value)[] environment)
    {
        var (code, output) = await Tool.StartAsync(Tool.Program, environment, "doctor", "--json");
        code.ShouldBe(ExitCode.Failed, output);
        return
        [
            .. JsonElement.Parse(output).Items("checks").Where(check => check.Text("verdict") is "Missing" or "missing")
                .Select(check => new Finding(check.Shown("subject"), check.Text("mend"))),
        ];
    }

    private sealed record Finding(string Subject, string? Mend);
}
