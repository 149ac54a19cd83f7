using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using OllamaMax.TestKit;

namespace OllamaMax.Security.Tests;

public sealed class StartTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_WithoutKeysOnAnotherAddress_IsRefused()
    {
        await using LocalSystem system = LocalSystem.Launch(new() { Workers = 0, MoreArguments = ["--listen", "0.0.0.0"] });

        (await system.Exit).ShouldBe(1);

        system.Errors.Lines.ShouldHaveSingleItem().ShouldBe("error: --listen 0.0.0.0 lets others in: it needs --require-keys");
    }

    [Fact]
    public async Task Start_AgainWithAWorkerAndHttpsOnAnotherAddress_SaysNoSecondKeyAndTheFirstOnesRequestsAndJobsAreCounted()
    {
        using TempFolder data = new();
        LocalSystemOptions options = new() { Workers = 0, Data = data.Path, MoreArguments = ["--require-keys"] };
        string key;
        await using (LocalSystem first = await LocalSystem.StartAsync(options, Cancellation))
            key = first.AdminKey;

        string certificate = WriteCertificate(data.File("certificate.pem"));

        await using LocalSystem again = await LocalSystem.StartAsync(
            options with { Workers = 1, MoreArguments = ["--require-keys", "--listen", "0.0.0.0", "--certificate", data.File("certificate.pem")] }, Cancellation);

        again.Output.Lines.ShouldAllBe(line => !line.Contains("omx_", StringComparison.Ordinal));
        again.BaseAddress.Scheme.ShouldBe(Uri.UriSchemeHttps);
        using HttpClientHandler handler = new() { ServerCertificateCustomValidationCallback = (_, shown, _, _) => shown?.GetCertHashString(HashAlgorithmName.SHA256) == certificate };
        using HttpClient client = new(handler) { BaseAddress = again.BaseAddress };
        client.DefaultRequestHeaders.Add("x-api-key", key);
        object question = new { model = "demo", prompt = "x", stream = false, options = new { num_predict = 3 } };
        using HttpResponseMessage answer = await client.PostAsJsonAsync("/api/generate", question, Cancellation);
        answer.IsSuccessStatusCode.ShouldBeTrue(await answer.Content.ReadAsStringAsync(Cancellation));
        answer.Headers.Contains("Strict-Transport-Security").ShouldBeTrue();
        using HttpResponseMessage submitted = await client.PostAsJsonAsync("/jobs", question, Cancellation);
        string job = (await submitted.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("id").GetString()!;
        await client.GetStringAsync($"/jobs/{job}/stream", Cancellation);
        (await client.GetFromJsonAsync<JsonElement>($"/jobs/{job}", Cancellation)).GetProperty("status").GetString().ShouldBe("completed");

        JsonElement usage = await client.GetFromJsonAsync<JsonElement>($"/usage?key={key[4..20]}", Cancellation);

        JsonElement[] items = [.. usage.GetProperty("usage").EnumerateArray()];
        items.Sum(item => item.GetProperty("requests").GetInt32()).ShouldBe(2, usage.ToString());
        items.Sum(item => item.GetProperty("output_tokens").GetInt32()).ShouldBe(6, usage.ToString());
    }

    [Fact]
    public async Task Start_SeveralEdgesWithHttps_AllAskForTheOneKeyAndComeBackWhereTheyWere()
    {
        // An edge that encrypts and was not told the content key would not start.
        await using LocalSystem system = await LocalSystem.StartAsync(new() { Workers = 0, MoreArguments = ["--edges", "2", "--require-keys", "--https", "--encrypt-payloads"] }, Cancellation);
        Uri[] edges = [.. system.Output.Lines.Where(line => line.Contains(" listens on ", StringComparison.Ordinal)).Select(line => new Uri(line[(line.LastIndexOf(' ') + 1)..]))];
        int pid = int.Parse(system.Output.Lines.Single(line => line.StartsWith("edge-2 started", StringComparison.Ordinal)).Split(' ')[^1], CultureInfo.InvariantCulture);
        using SocketsHttpHandler handler = new();
        handler.SslOptions.CertificateChainPolicy = TrustIn(system.Output.Lines.Single(line => line.StartsWith("https: ", StringComparison.Ordinal)));
        using HttpClient client = new(handler);

        edges.Length.ShouldBe(2);
        edges.ShouldAllBe(edge => edge.Scheme == Uri.UriSchemeHttps);
        system.Output.Lines.Count(line => line.Contains("omx_", StringComparison.Ordinal)).ShouldBe(1);
        foreach (Uri edge in edges)
        {
            (await StatusAsync(client, edge, key: null)).ShouldBe(HttpStatusCode.Unauthorized);
            (await StatusAsync(client, edge, system.AdminKey)).ShouldBe(HttpStatusCode.OK);
        }
        LocalSystem.Kill(pid);
        await system.Output.WaitForAsync(line => line.StartsWith("edge-2 started", StringComparison.Ordinal) && !line.EndsWith($" {pid}", StringComparison.Ordinal), Cancellation);
        while (await StatusAsync(client, edges[1], system.AdminKey) != HttpStatusCode.OK)
        {
            // It starts, and each look waits for its answer, or for being refused.
        }
    }

    /// <summary>Null: nobody listens.</summary>
    private static async Task<HttpStatusCode?> StatusAsync(HttpClient client, Uri edge, string? key)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, new Uri(edge, "/api/tags"));
        if (key is not null)
            request.Headers.Add("x-api-key", key);
        try
        {
            using HttpResponseMessage answer = await client.SendAsync(request, Cancellation);
            return answer.StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    /// <summary>As a client does that was told of the file.</summary>
    private static X509ChainPolicy TrustIn(string line)
    {
        string[] parts = line.Split("are to trust ")[1].Split(" (SHA-256 ");
        X509Certificate2 authority = X509CertificateLoader.LoadCertificateFromFile(parts[0]);
        authority.GetCertHashString(HashAlgorithmName.SHA256).ShouldBe(parts[1].TrimEnd(')'));
        return new() { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { authority }, RevocationMode = X509RevocationMode.NoCheck };
    }

    /// <returns>Its SHA-256.</returns>
    private static string WriteCertificate(string file)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        File.WriteAllText(file, $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n");
        return certificate.GetCertHashString(HashAlgorithmName.SHA256);
    }
}
