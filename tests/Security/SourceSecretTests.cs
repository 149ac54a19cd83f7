using System.Net.Http.Json;
using System.Text;

namespace OllamaMax.Security.Tests;

/// <summary>What the operator has set so that sources of models let the server in is for them alone.</summary>
public sealed class SourceSecretTests(KeyedSystemFixture local)
{
    private static readonly string[] Documents =
        ["/cluster/status", "/cluster/transfers", "/cluster/workers", "/audit?limit=1000&newest=true", "/metrics", "/openapi.json", "/readyz", "/cluster/backup"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pull_RefusedByTheSource_TellsTheSecretsToNobody()
    {
        List<string> told = [await AnswerAsync("/api/pull", local.Keys["operator"]), await AnswerAsync("/cluster/transfers", local.Keys["operator"])];
        while (told[^1].Contains("\"running\"", StringComparison.Ordinal))
            told[^1] = await ReadAsync("/cluster/transfers", local.Keys["readonly"]);
        foreach (string path in Documents)
            told.Add(await ReadAsync(path, local.Admin));

        told[0].ShouldContain("does not reach as far as this model");
        told[1].ShouldContain("does not reach as far as this model");
        string[] lines = [.. local.System.Output.Lines, .. local.System.Errors.Lines];
        lines.ShouldContain(line => line.Contains("source.test/org/private", StringComparison.Ordinal));
        string[] files = [.. Directory.EnumerateFiles(local.System.Data, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) != "lock")];
        files.ShouldContain(file => Has(file, "source.test"));
        foreach (string secret in local.SourceSecrets)
        {
            told.ShouldAllBe(text => !text.Contains(secret, StringComparison.Ordinal));
            lines.ShouldAllBe(line => !line.Contains(secret, StringComparison.Ordinal));
            files.Where(file => Has(file, secret)).ShouldBeEmpty();
        }
    }

    private async Task<string> AnswerAsync(string path, string key)
    {
        using HttpResponseMessage response = await local.SendAsync(HttpMethod.Post, path, key, JsonContent.Create(new { model = "source.test/org/private" }));
        return await response.Content.ReadAsStringAsync(Cancellation);
    }

    private async Task<string> ReadAsync(string path, string key)
    {
        using HttpResponseMessage response = await local.SendAsync(HttpMethod.Get, path, key);
        ((int)response.StatusCode).ShouldBeOneOf(200, 503);
        return await response.Content.ReadAsStringAsync(Cancellation);
    }

    /// <summary>Others write there meanwhile, and may take files away.</summary>
    private static bool Has(string file, string secret)
    {
        try
        {
            using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using MemoryStream content = new();
            stream.CopyTo(content);
            return content.GetBuffer().AsSpan(0, (int)content.Length).IndexOf(Encoding.UTF8.GetBytes(secret)) >= 0;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
    }
}
