using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using OllamaMax.Edge;
using OllamaMax.Functions;

namespace OllamaMax.Infra.Tests;

/// <summary>host.json and the sample of local settings against the code.</summary>
public sealed partial class HostFileTests
{
    [Fact]
    public async Task FunctionTimeout_IsMoreThanAnyRequestTakes()
    {
        using JsonDocument host = await ReadAsync("host.json");
        TimeSpan timeout = TimeSpan.Parse(host.RootElement.GetProperty("functionTimeout").GetString()!, CultureInfo.InvariantCulture);

        EdgeRequests.Limit.ShouldBeLessThan(timeout);
        new EdgeOptions().JobDeadline.ShouldBeLessThan(EdgeRequests.Limit);
    }

    [Fact]
    public async Task Host_ServesTheEdgesOwnUrls_AndTakesPlainMessages()
    {
        using JsonDocument host = await ReadAsync("host.json");
        JsonElement extensions = host.RootElement.GetProperty("extensions");

        extensions.GetProperty("http").GetProperty("routePrefix").GetString().ShouldBe("");
        extensions.GetProperty("queues").GetProperty("messageEncoding").GetString().ShouldBe("none");
        JsonElement durable = extensions.GetProperty("durableTask");
        durable.GetProperty("storageProvider").GetProperty("connectionName").GetString().ShouldBe("AzureWebJobsStorage");
        // Several edges have one hub, and one of them at a time works on it.
        durable.GetProperty("useAppLease").GetBoolean().ShouldBeTrue();
        // An orchestration may have ended when it is told of a job's end: as in the local hub, nobody waits then, and nothing is wrong.
        durable.GetProperty("throwStatusExceptionsOnRaiseEvent").GetBoolean().ShouldBeFalse();
    }

    [Fact]
    public async Task LocalSettings_HaveWhatTheFunctionAppAsksFor()
    {
        using JsonDocument settings = await ReadAsync("local.settings.sample.json");
        string[] names = [.. settings.RootElement.GetProperty("Values").EnumerateObject().Select(value => value.Name)];

        names.ShouldBe(["FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage", "AzureSignalRConnectionString", "OllamaMax__TrustLoopback"], ignoreOrder: true);
    }

    /// <summary>The host shows a function's own lines by its name; a filter for a name that is none shows nothing.</summary>
    [Fact]
    public async Task Console_ShowsTheLinesOfFunctionsThatThereAre()
    {
        using JsonDocument host = await ReadAsync("host.json");
        string[] shown =
        [
            .. host.RootElement.GetProperty("logging").GetProperty("console").GetProperty("logLevel").EnumerateObject()
                .Where(level => level.Value.GetString() == "Information").Select(level => level.Name),
        ];
        string[] sources = Directory.GetFiles(Repository.File("src", "Functions"), "*Function*.cs");
        string[] functions = [.. sources.SelectMany(source => FunctionNames().Matches(File.ReadAllText(source))).Select(match => $"Function.{match.Groups[1].Value}.User")];

        shown.ShouldNotBeEmpty();
        shown.ShouldBeSubsetOf(functions);
    }

    [GeneratedRegex("""\[Function\("(\w+)"\)\]""")]
    private static partial Regex FunctionNames();

    private static async Task<JsonDocument> ReadAsync(string file) => JsonDocument.Parse(await Repository.ReadAsync(file));
}
