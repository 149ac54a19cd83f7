using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Json.Schema;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.OpenApi;
using OllamaMax.Edge.Tests.Support;

namespace OllamaMax.Edge.Tests.OpenApi;

public sealed partial class OpenApiTests
{
    private const string Schemas = "#/components/schemas/";

    [Fact]
    public async Task Document_WholeEdge_HasEveryEndpointThatIsNotInternal()
    {
        await using ServiceProvider services = WholeEdge.Services();
        RouteEndpoint[] endpoints = WholeEdge.Endpoints(services);

        JsonObject paths = OpenApiDocument.Create(endpoints, "1.0.0")["paths"]!.AsObject();

        endpoints.Length.ShouldBeGreaterThan(30);
        endpoints.Where(endpoint => endpoint.Metadata.GetMetadata<EndpointDescription>() is null)
            .Select(endpoint => endpoint.DisplayName).ShouldBeEmpty("each needs Describe(…) where it is mapped");
        foreach (RouteEndpoint endpoint in endpoints)
        {
            bool isInternal = endpoint.Metadata.GetMetadata<EndpointDescription>() == EndpointDescription.Internal;
            JsonNode? operation = paths[OpenApiDocument.PathOf(endpoint.RoutePattern)]?[OpenApiDocument.MethodOf(endpoint)];
            (operation is null).ShouldBe(isInternal, endpoint.DisplayName);
            operation?["summary"]!.GetValue<string>().ShouldNotBeEmpty();
        }
    }

    [Fact]
    public async Task Document_References_AllLeadSomewhereAndNoSchemaIsLeftOver()
    {
        await using ServiceProvider services = WholeEdge.Services();
        JsonObject document = OpenApiDocument.Create(WholeEdge.Endpoints(services), "1.0.0");

        string[] names = [.. document["components"]!["schemas"]!.AsObject().Select(schema => schema.Key)];
        string[] used = [.. Reference().Matches(document.ToJsonString()).Select(match => match.Groups[1].Value).Distinct()];

        used.ShouldBe(names, ignoreOrder: true);
    }

    [Fact]
    public async Task Document_Examples_AreTakenAndAnsweredAsDescribed()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = Answer;
        JsonNode document = JsonNode.Parse(await (await edge.SendAsync(HttpMethod.Get, "/openapi.json")).TextAsync())!;
        int count = 0;

        foreach (var (path, operations) in document["paths"]!.AsObject())
        {
            if (operations!["post"]?["requestBody"]?["content"]!["application/json"]!["schema"]!["$ref"] is not { } reference)
                continue;
            string name = reference.GetValue<string>()[Schemas.Length..];
            JsonObject example = document["components"]!["schemas"]![name]!["examples"]![0]!.DeepClone().AsObject();
            ShouldSatisfy(document, reference.Parent!, JsonSerializer.SerializeToElement(example), path);
            if (example.Remove("stream") || path.StartsWith("/api/", StringComparison.Ordinal))
                example["stream"] = false;
            using HttpResponseMessage response = await edge.PostAsync(path, example.ToJsonString());
            response.StatusCode.ShouldBe(HttpStatusCode.OK, $"{path}: {await response.TextAsync()}");
            JsonNode answer = operations["post"]!["responses"]!["200"]!["content"]!["application/json"]!["schema"]!;
            ShouldSatisfy(document, answer, JsonElement.Parse(await response.TextAsync()), path);
            count++;
        }

        count.ShouldBe(12);
    }

    [Theory]
    [InlineData("/api/tags")]
    [InlineData("/api/version")]
    [InlineData("/v1/models")]
    [InlineData("/v1/models/demo")]
    public async Task Document_SchemasMadeOfTypes_HoldForAnswers(string path)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        JsonNode document = JsonNode.Parse(await (await edge.SendAsync(HttpMethod.Get, "/openapi.json")).TextAsync())!;

        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Get, path);

        JsonNode operation = document["paths"]![path.Replace("demo", "{id}", StringComparison.Ordinal)]!["get"]!;
        ShouldSatisfy(document, operation["responses"]!["200"]!["content"]!["application/json"]!["schema"]!, JsonElement.Parse(await response.TextAsync()), path);
    }

    [Fact]
    public async Task Docs_Page_LoadsNothingFromElsewhereAndSaysSoToTheBrowser()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync(options => options.TrustLoopback = false);

        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Get, "/docs");
        using HttpResponseMessage again = await edge.SendAsync(HttpMethod.Get, "/docs");

        string page = await response.TextAsync();
        response.Content.Headers.ContentType!.MediaType.ShouldBe("text/html");
        page.ShouldNotContain("://");
        page.ShouldNotContain("src=");
        string policy = response.Headers.GetValues("Content-Security-Policy").Single();
        string nonce = Nonce().Match(policy).Groups[1].Value;
        policy.ShouldStartWith("default-src 'none'; ");
        page.Split($"nonce=\"{nonce}\"").Length.ShouldBe(3);
        again.Headers.GetValues("Content-Security-Policy").Single().ShouldNotBe(policy);
    }

    private static void Answer(StartedJob job)
    {
        job.Accept();
        if (job.Job.EmbedInputs is { } inputs)
            job.Embed([.. inputs.Select(_ => (float[])[0.6f, 0.8f])]).Finish();
        else
            job.Say("hello").Finish();
    }

    private static void ShouldSatisfy(JsonNode document, JsonNode schema, JsonElement value, string path)
    {
        // References lead into the document: the schemas go along, under the name that a schema on its own has for that.
        JsonObject whole = schema.DeepClone().AsObject();
        whole["$defs"] = document["components"]!["schemas"]!.DeepClone();
        JsonSchema validator = JsonSchema.FromText(whole.ToJsonString().Replace(Schemas, "#/$defs/", StringComparison.Ordinal));
        EvaluationResults results = validator.Evaluate(value, new EvaluationOptions { OutputFormat = OutputFormat.List });
        results.IsValid.ShouldBeTrue($"{path}: {value}: {string.Join("; ", results.Details!.Where(detail => detail.Errors is not null).Select(detail => $"{detail.InstanceLocation} {string.Join(", ", detail.Errors!.Values)}"))}");
    }

    [GeneratedRegex("\"#/components/schemas/([^\"]+)\"")]
    private static partial Regex Reference();

    [GeneratedRegex("'nonce-([0-9A-F]{32})'")]
    private static partial Regex Nonce();
}
