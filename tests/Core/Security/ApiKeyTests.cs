using OllamaMax.Security;

namespace OllamaMax.Core.Tests.Security;

public sealed class ApiKeyTests
{
    [Fact]
    public void TryParse_CreatedKey_IsTheSameAgain()
    {
        ApiKey key = ApiKey.Create();

        ApiKey.TryParse(key.Reveal(), out ApiKey? parsed).ShouldBeTrue();

        parsed.Id.ShouldBe(key.Id);
        parsed.Reveal().ShouldBe(key.Reveal());
        key.Reveal().ShouldStartWith($"omx_{key.Id}_");
        ApiKey.IsId(key.Id).ShouldBeTrue();
    }

    [Theory]
    [InlineData("")]
    [InlineData("omx_1_s3cret")]
    [InlineData("omx_0123456789abcdef_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde")]
    [InlineData("omx_0123456789abcdef_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0")]
    [InlineData("omx_0123456789abcdef_0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef")]
    [InlineData("omx_../456789abcdef_0_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    [InlineData("sk-_0123456789abcdef_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    public void TryParse_OtherForms_AreNoKeys(string text) => ApiKey.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void ToString_Key_HasNoSecret()
    {
        ApiKey key = ApiKey.Create();

        key.ToString().ShouldBe($"omx_{key.Id}_…");
        KeySecret.Of(key).ToString().ShouldNotContain(key.Reveal()[^64..]);
    }
}
