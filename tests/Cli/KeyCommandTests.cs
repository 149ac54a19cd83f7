using System.Text.Json;
using OllamaMax.TestKit;

namespace OllamaMax.Cli.Tests;

/// <summary>What is done with keys, against a running system.</summary>
[Collection("Commands")]
public sealed class KeyCommandTests(LocalSystemFixture local)
{
    [Fact]
    public async Task Keys_CreatedAndRevoked_AreListedWithoutSecret()
    {
        string key = (await local.RunAsync("keys", "create", "a laptop", "--role", "readonly", "--days", "1")).Output.Trim();
        string id = key.Split('_')[1];

        string list = (await local.RunAsync("keys", "list")).Output;
        list.ShouldContain("a laptop");
        list.ShouldNotContain(key.Split('_')[2]);
        string changed = (await local.RunAsync("keys", "change", id, "--name", "a desktop", "--model", "demo", "--tokens-per-day", "200000", "--concurrent", "2")).Output;
        changed.ShouldContain("a desktop");
        changed.ShouldContain("200000 tokens/day, 2 at a time");
        (await local.RunAsync("keys", "list")).Output.ShouldContain("200000 tokens/day, 2 at a time");
        JsonElement taken = JsonElement.Parse((await local.RunAsync("keys", "change", id, "--model", "*", "--concurrent", "none", "--days", "never", "--json")).Output);
        taken.TryGetProperty("models", out _).ShouldBeFalse();
        taken.TryGetProperty("expires_at", out _).ShouldBeFalse();
        taken.GetProperty("limits").EnumerateObject().ShouldHaveSingleItem().Name.ShouldBe("tokens_per_day");
        (await local.RunAsync("keys", "show", id)).Output.ShouldContain("a desktop");
        (await local.RunAsync("keys", "revoke", id)).Code.ShouldBe(ExitCode.Done);
        (await local.RunAsync("keys", "list")).Output.ShouldNotContain("a desktop");
        (await local.RunAsync("audit")).Output.ShouldContain(id);
        (await local.RunAsync("audit", "--newest", "--limit", "20")).Output.ShouldContain("DELETE /keys/{id}");
    }

    [Fact]
    public async Task Keys_CreateWithLimits_HasThem()
    {
        string id = (await local.RunAsync("keys", "create", "limited", "--requests-per-minute", "60", "--tokens-per-month", "9000000000")).Output.Split('_')[1];

        (await local.RunAsync("keys", "show", id)).Output.ShouldContain("60 requests/min, 9000000000 tokens/month");
    }

    [Theory]
    [InlineData("--tokens-per-day must be a whole number, or none", "--tokens-per-day", "-1")]
    [InlineData("--concurrent must be a whole number, or none", "--concurrent", "2.5")]
    [InlineData("--days must be a number above 0, or never", "--days", "soon")]
    [InlineData("nothing is named that is to change")]
    public async Task KeysChange_ArgumentThatCannotBe_IsSaidBeforeAnybodyIsAsked(string error, params string[] options)
    {
        var (code, _, errors) = await Tool.RunAsync("", ["--edge", "http://127.0.0.1:1", "keys", "change", "0123456789abcdef", .. options]);

        code.ShouldBe(ExitCode.Failed);
        errors.ShouldContain(error);
    }
}
