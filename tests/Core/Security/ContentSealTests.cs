using System.Text;
using OllamaMax.Security;
using OllamaMax.TestKit;

namespace OllamaMax.Core.Tests.Security;

public sealed class ContentSealTests
{
    private static readonly byte[] Text = Encoding.UTF8.GetBytes("what nobody else is to read");

    private readonly ContentKeys _keys = ContentKeyTexts.Keys("k1");

    [Fact]
    public void Open_InItsPlace_IsTheText()
    {
        byte[] content = New().Seal("part", Text);

        content.Length.ShouldBe(Text.Length + ContentSeal.Overhead);
        content.AsSpan().IndexOf(Text.AsSpan(0, 4)).ShouldBe(-1);
        _keys.Of("k1", ContentKind.Job, "a").Open("part", content).ShouldBe(Text);
        ContentSeal.Given("k1", New().Key.ToArray()).Open("part", content).ShouldBe(Text, "whoever was given this one's key");
    }

    [Fact]
    public void Open_AnywhereElse_IsNull()
    {
        byte[] content = New().Seal("part", Text);

        New().Open("another part", content).ShouldBeNull();
        _keys.Of("k1", ContentKind.Job, "b").Open("part", content).ShouldBeNull("another job");
        _keys.Of("k1", ContentKind.Response, "a").Open("part", content).ShouldBeNull("another kind");
        ContentKeyTexts.Keys("k2").Of("k2", ContentKind.Job, "a").Open("part", content).ShouldBeNull("another key");
        content[^1] ^= 1;
        New().Open("part", content).ShouldBeNull("changed");
        New().Open("part", content.AsSpan(0, ContentSeal.Overhead - 1)).ShouldBeNull("cut");
    }

    [Fact]
    public void Keys_Rotated_TheFirstSealsAndTheRetiredOneOpens()
    {
        byte[] before = New().Seal("part", Text);
        ContentKeys rotated = ContentKeyTexts.Keys("k2", "k1");

        rotated.New(ContentKind.Job, "a").ShouldNotBeNull().KeyId.ShouldBe("k2");
        rotated.Of("k1", ContentKind.Job, "a").Open("part", before).ShouldBe(Text);
    }

    [Fact]
    public void Keys_OneIsMissing_SaysWhich()
    {
        ContentKeyTexts.Keys("k2").Find("k1", ContentKind.Job, "a").ShouldBeNull();
        Should.Throw<ContentKeyException>(() => ContentKeyTexts.Keys("k2").Of("k1", ContentKind.Job, "a")).Message.ShouldContain("'k1'");
    }

    [Fact]
    public void Keys_NotForWhatIsNew_StillOpen()
    {
        ContentKey.TryParse(ContentKeyTexts.Of("k1"), out ContentKey? key).ShouldBeTrue();
        ContentKeys off = new([key!], seals: false);

        off.New(ContentKind.Job, "a").ShouldBeNull();
        off.Of("k1", ContentKind.Job, "a").Open("part", New().Seal("part", Text)).ShouldBe(Text);
    }

    [Theory]
    [InlineData("")]
    [InlineData("k1")]
    [InlineData("k1:")]
    [InlineData(":AAAA")]
    [InlineData("k1:AAAA")]
    [InlineData("k1:no base64")]
    [InlineData("K1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
    [InlineData("k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==")]
    public void TryParse_WhatIsNoKey_IsFalse(string text) => ContentKey.TryParse(text, out _).ShouldBeFalse();

    private ContentSeal New() => _keys.New(ContentKind.Job, "a").ShouldNotBeNull();
}
