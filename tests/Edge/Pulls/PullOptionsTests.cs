using System.ComponentModel.DataAnnotations;
using OllamaMax.Edge.Pulls;

namespace OllamaMax.Edge.Tests.Pulls;

public sealed class PullOptionsTests
{
    [Fact]
    public void BaseOf_KnownAndUnknownHosts_HttpOnlyWhereItIsSaid()
    {
        PullOptions options = new();
        options.Hosts.Add("hf.co=http://mirror:8080/hf");

        options.BaseOf("HF.co").ShouldBe(new Uri("http://mirror:8080/hf"));
        options.BaseOf("localhost:5000").ShouldBe(new Uri("https://localhost:5000"));
        options.Allows(new("http://mirror:8080/other")).ShouldBeTrue();
        options.Allows(new("http://mirror/other")).ShouldBeFalse();
        options.Allows(new("https://anything")).ShouldBeTrue();
        options.Allows(new("file:///etc/passwd")).ShouldBeFalse();
    }

    [Theory]
    [InlineData("hf.co")]
    [InlineData("hf.co=mirror")]
    [InlineData("hf.co=ftp://mirror")]
    [InlineData("=https://mirror")]
    public void Validate_NoHostAndUrl_SaysWhich(string entry)
    {
        PullOptions options = new();
        options.Hosts.Add(entry);

        options.Validate(new ValidationContext(options)).ShouldHaveSingleItem().ErrorMessage!.ShouldContain($"'{entry}'");
    }
}
