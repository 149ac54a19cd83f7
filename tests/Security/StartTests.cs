using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
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
    public async Task Start_AgainWithAWorkerAndHttpsOnAnotherAddress_SaysNoSecondKeyAndTheFirstOneRunsAModel()
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
        using HttpRequestMessage request = new(HttpMethod.Post, "/api/generate") { Content = new StringContent("""{"model":"demo","prompt":"x","stream":false}""") };
        request.Headers.Add("x-api-key", key);
        using HttpResponseMessage response = await client.SendAsync(request, Cancellation);
        response.IsSuccessStatusCode.ShouldBeTrue(await response.Content.ReadAsStringAsync(Cancellation));
        response.Headers.Contains("Strict-Transport-Security").ShouldBeTrue();
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
