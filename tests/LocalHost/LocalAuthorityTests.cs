using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using OllamaMax.GpuWorker.Enrolment;
using OllamaMax.TestKit;

namespace OllamaMax.LocalHost.Tests;

public sealed class LocalAuthorityTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly TempFolder _other = new();
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Issue_Again_IsTheSameUntilItsTimeIsNearlyOver()
    {
        IssuedCertificate first = Issue(_folder, IPAddress.Loopback);
        string server = File.ReadAllText(first.File);

        Issue(_folder, IPAddress.Loopback).ShouldBe(first);
        File.ReadAllText(first.File).ShouldBe(server);
        _time.Advance(TimeSpan.FromDays(370));
        Issue(_folder, IPAddress.Loopback).ShouldBe(first, "who trusts the authority goes on doing so");
        File.ReadAllText(first.File).ShouldNotBe(server);
    }

    [Fact]
    public void Issue_AnotherAddress_IsInTheCertificate()
    {
        IPAddress address = IPAddress.Parse("192.0.2.7");
        Issue(_folder, IPAddress.Loopback);

        using X509Certificate2 server = X509Certificate2.CreateFromPemFile(Issue(_folder, address).File);

        X509SubjectAlternativeNameExtension names = server.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();
        names.EnumerateIPAddresses().ShouldBe([IPAddress.Loopback, IPAddress.IPv6Loopback, address]);
        names.EnumerateDnsNames().ShouldContain("localhost");
        ServerCertificate.FindError(Issue(_folder, address).File).ShouldBeNull();
    }

    [Fact]
    public void Issue_Keys_AreTheOwnersAlone()
    {
        if (OperatingSystem.IsWindows())
            return;
        IssuedCertificate issued = Issue(_folder, IPAddress.Loopback);

        foreach (string file in (string[])[issued.File, _folder.File("ca.key")])
            File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite, file);
    }

    /// <summary>As <c>--ca</c> has a worker do.</summary>
    [Fact]
    public async Task Https_WorkersThatAreToldTheAuthority_TrustItAndNoOtherAndNoOtherName()
    {
        IssuedCertificate issued = Issue(_folder, IPAddress.Loopback);
        await using WebApplication server = await StartAsync(issued);
        int port = new Uri(server.Urls.Single()).Port;
        using HttpClient told = Client(issued.AuthorityFile);
        using HttpClient toldAnother = Client(Issue(_other, IPAddress.Loopback).AuthorityFile);

        (await told.GetStringAsync($"https://localhost:{port}/", Cancellation)).ShouldBe("in");
        (await told.GetStringAsync($"https://127.0.0.1:{port}/", Cancellation)).ShouldBe("in");
        await Should.ThrowAsync<HttpRequestException>(told.GetStringAsync($"https://127.0.0.2:{port}/", Cancellation));
        await Should.ThrowAsync<HttpRequestException>(toldAnother.GetStringAsync($"https://localhost:{port}/", Cancellation));
        PrivateAuthority.FindError(issued.AuthorityFile).ShouldBeNull();
        PrivateAuthority.FindError(_folder.File("none.pem")).ShouldNotBeNull();
    }

    public void Dispose()
    {
        _folder.Dispose();
        _other.Dispose();
    }

    private IssuedCertificate Issue(TempFolder folder, IPAddress listen) => new LocalAuthority(folder.Path, _time).Issue(listen);

    private static HttpClient Client(string authority) => new(new SocketsHttpHandler { UseProxy = false, SslOptions = new PrivateAuthority(authority).SslOptions });

    private static async Task<WebApplication> StartAsync(IssuedCertificate issued)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        // On Linux all of 127.0.0.0/8 is this machine.
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Any, 0, open => open.UseHttps(https => ServerCertificate.Apply(issued.File, https))));
        WebApplication app = builder.Build();
        app.Run(context => Microsoft.AspNetCore.Http.HttpResponseWritingExtensions.WriteAsync(context.Response, "in", Cancellation));
        await app.StartAsync(Cancellation);
        return app;
    }
}
