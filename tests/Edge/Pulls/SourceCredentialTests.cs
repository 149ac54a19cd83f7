using System.ComponentModel.DataAnnotations;
using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Pulls;

namespace OllamaMax.Edge.Tests.Pulls;

public sealed class SourceCredentialTests
{
    [Theory]
    [InlineData("registry.example", "https://registry.example/v2/a", true)]
    [InlineData("Registry.Example:443", "https://registry.example/v2/a", true)]
    [InlineData("registry.example:5000", "https://registry.example:5000/", true)]
    [InlineData("registry.example", "https://registry.example:5000/", false)]
    [InlineData("registry.example", "http://registry.example/", false)]
    [InlineData("registry.example", "https://sub.registry.example/", false)]
    [InlineData("registry.example", "https://registry.example.evil.test/", false)]
    [InlineData("registry.example", "https://registry.example@evil.test/", false)]
    [InlineData("registry.example", "https://evil.test/registry.example", false)]
    [InlineData("127.0.0.1:5000", "http://127.0.0.1:5000/", true)]
    [InlineData("localhost", "http://localhost/", true)]
    [InlineData("10.0.0.1:5000", "http://10.0.0.1:5000/", false)]
    [InlineData("huggingface.co", "https://huggingface.co/api/models", true)]
    [InlineData("huggingface.co", "https://hf.co/v2/a", true)]
    [InlineData("hf.co", "https://huggingface.co/v2/a", true)]
    [InlineData("huggingface.co", "http://huggingface.co/", false)]
    [InlineData("huggingface.co", "https://cas-bridge.xethub.hf.co/x", false)]
    [InlineData("huggingface.co", "https://cdn-lfs.huggingface.co/x", false)]
    [InlineData("huggingface.co", "https://hf.co:8443/", false)]
    public void IsFor_Address_OnlyThatHostsOverHttps(string host, string address, bool isShown) =>
        new SourceCredential { Host = host, Token = "t" }.IsFor(new(address)).ShouldBe(isShown);

    [Fact]
    public void GetsTokensAt_AnotherHost_OnlyWhereItIsNamedAndOverHttps()
    {
        SourceCredential docker = new() { Host = "registry-1.docker.io", User = "u", Password = "p", TokenHost = "auth.docker.io" };

        docker.GetsTokensAt(new("https://auth.docker.io/token")).ShouldBeTrue();
        docker.GetsTokensAt(new("https://registry-1.docker.io/token")).ShouldBeTrue();
        docker.GetsTokensAt(new("http://auth.docker.io/token")).ShouldBeFalse();
        docker.GetsTokensAt(new("https://auth.docker.io.evil.test/token")).ShouldBeFalse();
        docker.IsFor(new("https://auth.docker.io/token")).ShouldBeFalse();
    }

    [Theory]
    [InlineData("", "t", null, null, "Host is not host or host:port")]
    [InlineData("https://huggingface.co", "t", null, null, "Host is not host or host:port")]
    [InlineData("user@host", "t", null, null, "Host is not host or host:port")]
    [InlineData("a.test", null, null, null, "needs Token, or User and Password")]
    [InlineData("a.test", null, "u", null, "needs Token, or User and Password")]
    [InlineData("a.test", null, null, "p", "needs Token, or User and Password")]
    [InlineData("a.test", "t", "u", "p", "needs Token, or User and Password")]
    [InlineData("a.test", "se\ncret", null, null, "Token has characters that a token cannot have")]
    [InlineData("a.test", "Bearer secret", null, null, "Token has characters that a token cannot have")]
    [InlineData("a.test", null, "u:v", "secret", "User or Password has characters that it cannot have")]
    [InlineData("a.test", null, "u", "se\ncret", "User or Password has characters that it cannot have")]
    public void Validate_WrongSource_SaysWhatWithoutTheSecret(string host, string? token, string? user, string? password, string said)
    {
        PullOptions options = new() { Sources = { new() { Host = host, Token = token, User = user, Password = password } } };

        string error = options.Validate(new ValidationContext(options)).ShouldHaveSingleItem().ErrorMessage!;

        error.ShouldBe($"OllamaMax:Pull:Sources: '{host}': {said}");
        error.ShouldNotContain("secret");
    }

    [Fact]
    public void Validate_HostTwiceOrAskedByHttp_SaysSo()
    {
        PullOptions options = new()
        {
            Hosts = { "models=http://10.0.0.1:5000", "local=http://127.0.0.1:5000" },
            Sources = { new() { Host = "hf.co", Token = "a" }, new() { Host = "huggingface.co", Token = "b" }, new() { Host = "10.0.0.1:5000", Token = "c" }, new() { Host = "127.0.0.1:5000", Token = "d" } },
        };

        options.Validate(new ValidationContext(options)).Select(error => error.ErrorMessage).ShouldBe(
            ["OllamaMax:Pull:Sources: 'huggingface.co' is there more than once", "OllamaMax:Pull:Sources: '10.0.0.1:5000' is asked by http, over which nothing secret goes"]);
    }

    [Fact]
    public void Allows_PrivateAddressOfASource_AsTheOperatorNamesIt()
    {
        PullOptions options = new() { Sources = { new() { Host = "models.corp", User = "u", Password = "p", TokenHost = "login.corp" } } };

        options.Allows(new("https://models.corp/v2"), IPAddress.Parse("10.0.0.1")).ShouldBeTrue();
        options.Allows(new("https://login.corp/token"), IPAddress.Parse("10.0.0.1")).ShouldBeTrue();
        options.Allows(new("https://other.corp/v2"), IPAddress.Parse("10.0.0.1")).ShouldBeFalse();
        options.Allows(new("http://models.corp/v2")).ShouldBeFalse();
    }

    [Fact]
    public void Settings_ByAnyName_AreRead()
    {
        PullOptions options = Read(("OllamaMax:Pull:Sources:HuggingFace:Host", "huggingface.co"), ("OllamaMax:Pull:Sources:HuggingFace:Token", "hf_a"), ("HF_TOKEN", "hf_b"),
            ("OllamaMax:Pull:Sources:1:Host", "a.test"), ("OllamaMax:Pull:Sources:1:User", "u"), ("OllamaMax:Pull:Sources:1:Password", "p"));

        options.CredentialFor(new("https://hf.co/v2/a"))!.Bearer!.ToString().ShouldBe("Bearer hf_a");
        options.CredentialFor(new("https://a.test/v2/a"))!.Basic!.ToString().ShouldBe("Basic dTpw");
        options.CredentialFor(new("https://b.test/v2/a")).ShouldBeNull();
    }

    [Fact]
    public void HuggingFacesOwnSetting_WithoutAnother_IsTaken()
    {
        Read(("HF_TOKEN", " hf_b\n")).CredentialFor(new("https://huggingface.co/v2/a"))!.Bearer!.ToString().ShouldBe("Bearer hf_b");
        Read(("HF_TOKEN", "")).Sources.ShouldBeEmpty();
    }

    private static PullOptions Read(params (string Name, string Value)[] settings)
    {
        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value))).Build();
        using ServiceProvider services = new ServiceCollection().AddSingleton(configuration).AddPulls().BuildServiceProvider();
        return services.GetRequiredService<IOptions<PullOptions>>().Value;
    }
}
