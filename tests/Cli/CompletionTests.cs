using OllamaMax.TestKit;

namespace OllamaMax.Cli.Tests;

/// <summary>What a shell fills in.</summary>
public sealed class CompletionTests(LocalSystemFixture local)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("powershell")]
    public async Task Completion_OfAShell_AsksTheTool(string shell) =>
        (await local.RunAsync("completion", shell)).Output.ShouldContain("[suggest:");

    /// <summary>What a tab makes of a line in a real bash. An option stands for what begins it; where no option is begun, files are left to the shell.</summary>
    [Theory]
    [InlineData("worker dr", "drain")]
    [InlineData("worker ", "list", "show", "join", "drain", "undrain", "update", "revoke")]
    [InlineData("models push --js", "--json")]
    [InlineData("models push ./fi")]
    [InlineData("models push ")]
    [InlineData("run demo xyz")]
    public async Task Completion_InBash_FillsUpWhatWasTyped(string line, params string[] words)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "There is a bash on Linux.");
        using TempFolder folder = new();
        string script = $$"""
            PATH={{AppContext.BaseDirectory}}:$PATH
            eval "$(ollamamax completion bash)"
            COMP_LINE='ollamamax {{line}}'; COMP_POINT=${#COMP_LINE}
            _ollamamax ollamamax '{{line.Split(' ')[^1]}}'
            printf '%s\n' "${COMPREPLY[@]}"
            """;
        await File.WriteAllTextAsync(folder.File("tab"), script, Cancellation);

        var (code, output) = await Tool.StartAsync("bash", [], folder.File("tab"));

        code.ShouldBe(0);
        output.Split('\n', StringSplitOptions.RemoveEmptyEntries).ShouldBe(words, ignoreOrder: true);
    }

    [Fact]
    public async Task Suggest_HalfACommand_CompletesIt()
    {
        (await Tool.RunAsync("", "[suggest:18]", "ollamamax worker dr")).Output.ShouldContain("drain");
        (await Tool.RunAsync("", "[suggest:33]", "ollamamax keys change ID --tokens")).Output.ShouldContain("--tokens-per-day");
        (await Tool.RunAsync("", "[suggest:42]", "ollamamax keys change ID --tokens-per-day ")).Output.ShouldContain("none");
    }
}
