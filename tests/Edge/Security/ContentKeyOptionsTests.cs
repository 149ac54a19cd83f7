using Microsoft.Extensions.Options;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Edge.Security.Sealing;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Security;

public sealed class ContentKeyOptionsTests
{
    [Fact]
    public void Validate_EncryptsWithoutAKey_SaysWhatToSet()
    {
        ValidateOptionsResult result = Validate(keys: null, encrypts: true);

        result.Failures.ShouldHaveSingleItem().ShouldContain("set OllamaMax:ContentKeys:Keys to id:key");
        Validate(keys: null, encrypts: false).Succeeded.ShouldBeTrue();
        Validate(ContentKeyTexts.Of("k1"), encrypts: true).Succeeded.ShouldBeTrue();
    }

    [Fact]
    public void Validate_WhatIsNoKey_IsToldWithoutIt()
    {
        string[] errors = [.. Validate($"{ContentKeyTexts.Of("k1", "k1")},k2:bm90IDMyIGJ5dGVz", encrypts: true).Failures!];

        errors.Length.ShouldBe(2);
        errors[0].ShouldContain("two keys of the id k1");
        errors[1].ShouldContain("number 3");
        errors.ShouldAllBe(error => !error.Contains("bm90", StringComparison.Ordinal));
    }

    [Fact]
    public void Add_BehindOthers_LeavesTheFirstInItsPlace()
    {
        ContentKeyOptions options = new() { Keys = ContentKeyTexts.Of("k2") };

        options.Add(ContentKeyTexts.Of("local"));

        options.Parse().Select(key => key.Id).ShouldBe(["k2", "local"]);
    }

    private static ValidateOptionsResult Validate(string? keys, bool encrypts) =>
        new ContentKeyOptionsValidator(Options.Create(new DispatchOptions { EncryptPayloads = encrypts })).Validate(null, new() { Keys = keys });
}
