using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using OllamaMax.Edge.Cluster;
using OllamaMax.Edge.Pulls;
using OllamaMax.Edge.Security.Keys;
using OllamaMax.Edge.Security.Sealing;
using OllamaMax.Storage;
using OllamaMax.Storage.Jobs;
using OllamaMax.Storage.Models;
using OllamaMax.Storage.Payloads;

namespace OllamaMax.Infra.Tests;

/// <summary>The infrastructure against the code that runs on it. That every reference, parameter and output is right is the compiler's to say.</summary>
public sealed partial class BicepTests(BicepFixture bicep) : IClassFixture<BicepFixture>
{
    [Fact]
    public async Task Storage_ItsContainers_AreThoseOfTheCode()
    {
        Template storage = await StorageAsync();

        Texts(storage.Variable("containers")).ShouldBe(Containers.All, ignoreOrder: true);
        storage.Resource("immutable")["name"]!.ToString().ShouldContain("indexOf(variables('containers'), 'audit')");
        Containers.Audit.ShouldBe("audit");
    }

    [Fact]
    public async Task Storage_ItsQueues_AreTheTriggersAndWhereItsMessagesGoInTheEnd() =>
        Texts((await StorageAsync()).Variable("queues")).ShouldBe([CompletionQueue.Name, $"{CompletionQueue.Name}-poison"], ignoreOrder: true);

    [Fact]
    public async Task Storage_WhatItDeletesByItself_IsWhatTheLeaderDeletesLongBefore()
    {
        JsonNode rule = (await StorageAsync()).Variable("leftovers")["definition"]!;

        Texts(rule["filters"]!["prefixMatch"]!).ShouldBe(
            [$"{Containers.Models}/{ModelPaths.Uploads}", $"{Containers.Models}/{ModelPaths.Partials}", $"{Containers.Jobs}/{PayloadStore.Prefix}"], ignoreOrder: true);
        ClusterOptions code = new();
        TimeSpan after = TimeSpan.FromDays(rule["actions"]!["baseBlob"]!["delete"]!["daysAfterModificationGreaterThan"]!.GetValue<int>());
        new[] { code.UploadsKept, code.DownloadsKept, code.PayloadsKept }.Max().ShouldBeLessThan(after / 2);
    }

    [Fact]
    public async Task Edge_ItsSettings_AreThoseThatTheFunctionAppReads()
    {
        Template main = await bicep.MainAsync();
        string settings = main.Module("edges").All().Single(resource => resource["type"]!.ToString() == "Microsoft.Web/sites/config")["properties"]!.ToString();
        string secrets = main.Module("vault").Json["outputs"]!["settings"]!["value"]!.ToString();
        string[] given = [.. Word().Matches(settings + secrets).Select(match => match.Groups[1].Value)];

        string source = await Repository.ReadAsync("src", "Functions", "FunctionsEdge.cs");
        string[] read = [.. ReadSetting().Matches(source).Select(match => match.Groups[1].Value.Replace(":", "__", StringComparison.Ordinal))];

        // These are for a developer's machine, where the host says by itself which environment it is.
        read.Except(["AzureWebJobsStorage", "AZURE_FUNCTIONS_ENVIRONMENT", "OllamaMax__TrustLoopback"]).ShouldBeSubsetOf(given);
        given.ShouldContain($"{KeyOptions.Section}:{nameof(KeyOptions.AdminKey)}".Replace(":", "__", StringComparison.Ordinal));
        given.ShouldContain($"{ContentKeyOptions.Section}:{nameof(ContentKeyOptions.Keys)}".Replace(":", "__", StringComparison.Ordinal));
        given.ShouldContain(PullOptions.HuggingFaceSetting);
    }

    [Fact]
    public async Task Keys_OfStorageAndSignalR_StandInTheVaultAlone()
    {
        Template main = await bicep.MainAsync();

        // Of each key there is one copy, and that is a secret in the vault.
        Key().Count(main.Json.ToJsonString()).ShouldBe(2);
        main.Module("vault").All()
            .Where(resource => Key().IsMatch(resource.ToJsonString()))
            .Select(resource => resource["type"]!.ToString())
            .ShouldBe(["Microsoft.KeyVault/vaults/secrets", "Microsoft.KeyVault/vaults/secrets"]);
    }

    [Fact]
    public async Task Main_ItsOutputs_TellAWorkerWhereToJoin()
    {
        Template main = await bicep.MainAsync();

        main.Outputs.ShouldBeSubsetOf(
            ["EDGE_URL", "EDGE_URLS", "EDGE_APPS", "AZURE_RESOURCE_GROUP", "AZURE_LOCATION", "KEY_VAULT_NAME", "STORAGE_ACCOUNT_NAME", "JOIN_TOKEN_COMMAND", "JOIN_COMMAND", "DNS_RECORDS"]);
        main.Json["outputs"]!["JOIN_COMMAND"]!["value"]!.ToString().ShouldContain("./install.sh --edge");
        File.Exists(Repository.File("packaging", "linux", "install.sh")).ShouldBeTrue();
    }

    [Theory]
    [InlineData("main.bicepparam")]
    [InlineData("dev.bicepparam")]
    [InlineData("prod.bicepparam")]
    public async Task Parameters_FitTheTemplate_AndGiveTheKeyAway(string file)
    {
        Dictionary<string, string?> environment = new()
        {
            ["AZURE_ENV_NAME"] = "test", ["AZURE_LOCATION"] = "westeurope", ["OLLAMAMAX_LOCATIONS"] = "westeurope,northeurope", ["OLLAMAMAX_ADMIN_KEY"] = "none",
        };
        JsonObject values = await BicepCompiler.BuildAsync(Repository.Bicep(file), environment);
        Template main = await bicep.MainAsync();

        values.Select(value => value.Key).ShouldBeSubsetOf(main.Json["parameters"]!.AsObject().Select(parameter => parameter.Key));
        int immutable = values["auditImmutableDays"]?["value"]!.GetValue<int>() ?? 0;
        int kept = values["auditKeptDays"]?["value"]!.GetValue<int>() ?? main.Json["parameters"]!["auditKeptDays"]!["defaultValue"]!.GetValue<int>();
        kept.ShouldBeGreaterThan(immutable);
        (await Repository.ReadAsync("infra", "bicep", file)).ShouldNotMatch("omx_[0-9a-f]{16}");
    }

    [Fact]
    public async Task Alerts_AreThoseOfTheFile_AskedOfApplicationInsights()
    {
        Template main = await bicep.MainAsync();
        Template alerts = main.Module("alerts");

        main.Resource("alerts")["condition"]!.ToString().ShouldContain("alertEmail");
        alerts.All().Single(resource => resource["type"]!.ToString() == "Microsoft.Insights/scheduledQueryRules")["copy"]!["count"]!.ToString().ShouldContain("rules");
        alerts.Json.ToJsonString().ShouldContain("OllamaMaxNoLeader");
    }

    [Fact]
    public async Task Azd_DeploysWhatIsThere()
    {
        string azd = await Repository.ReadAsync("azure.yaml");

        azd.ShouldContain("path: infra/bicep");
        azd.ShouldContain("project: src/Functions");
        File.Exists(Repository.File("src", "Functions", "OllamaMax.Functions.csproj")).ShouldBeTrue();
        string script = HookScript().Match(azd).Groups[1].Value;
        File.Exists(Repository.File(script)).ShouldBeTrue(script);
        // The service's name is what azd looks for in the tags.
        (await bicep.MainAsync()).Resource("edges")["properties"]!["parameters"]!["tags"]!.ToString().ShouldContain("createObject('azd-service-name', 'edge')");
    }

    private async Task<Template> StorageAsync() => (await bicep.MainAsync()).Module("storage");

    private static IEnumerable<string> Texts(JsonNode array) => array.AsArray().Select(item => item!.GetValue<string>());

    [GeneratedRegex("'(\\w+)'")]
    private static partial Regex Word();

    [GeneratedRegex("list\\w*Keys?\\(")]
    private static partial Regex Key();

    [GeneratedRegex("configuration(?:\\.GetValue<bool>\\(|\\[|, )\"([A-Za-z:_]+)\"")]
    private static partial Regex ReadSetting();

    [GeneratedRegex("run: (infra/\\S+)")]
    private static partial Regex HookScript();
}
