using System.Text.Json;
using OllamaMax.Security;

namespace OllamaMax.Core.Tests.Security;

public sealed class KeyRecordTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly ApiKey _key = ApiKey.Create();

    [Fact]
    public void Accepts_Key_ThisOneAloneUntilItExpires()
    {
        KeyRecord record = Record() with { ExpiresAt = Now.AddHours(1) };

        record.Accepts(_key, Now).ShouldBeTrue();
        record.Accepts(ApiKey.Create(_key.Id), Now).ShouldBeFalse();
        record.Accepts(_key, Now.AddHours(1)).ShouldBeFalse();
    }

    [Fact]
    public void Rotate_OldKey_IsGoodUntilTheGraceIsOver()
    {
        ApiKey second = ApiKey.Create(_key.Id);
        KeyRecord record = Record().Rotate(second, TimeSpan.FromHours(1), Now);

        record.Accepts(_key, Now.AddMinutes(59)).ShouldBeTrue();
        record.Accepts(_key, Now.AddHours(1)).ShouldBeFalse();
        record.Accepts(second, Now.AddYears(10)).ShouldBeTrue();
    }

    [Fact]
    public void Rotate_Again_LengthensNoEarlierGraceAndForgetsWhatIsOver()
    {
        ApiKey second = ApiKey.Create(_key.Id);
        ApiKey third = ApiKey.Create(_key.Id);
        KeyRecord twice = Record().Rotate(second, TimeSpan.FromHours(1), Now).Rotate(third, TimeSpan.FromHours(5), Now);

        twice.Accepts(_key, Now.AddHours(2)).ShouldBeFalse();
        twice.Accepts(second, Now.AddHours(4)).ShouldBeTrue();
        twice.Rotate(ApiKey.Create(_key.Id), TimeSpan.Zero, Now.AddHours(2)).Secrets.Count.ShouldBe(1);
    }

    [Fact]
    public void Json_Record_ComesBackAndHasNoSecret()
    {
        KeyRecord record = Record() with { Models = ["demo"], Limits = new() { TokensPerDay = 5 } };

        string json = JsonSerializer.Serialize(record, SecurityJson.Default.KeyRecord);
        KeyRecord again = JsonSerializer.Deserialize(json, SecurityJson.Default.KeyRecord)!;

        again.Accepts(_key, Now).ShouldBeTrue();
        again.ToPrincipal().Models.IsAll.ShouldBeFalse();
        again.Limits.ShouldBe(record.Limits);
        json.ShouldNotContain(_key.Reveal()[^64..]);
        json.ShouldNotContain(Convert.ToBase64String(Convert.FromHexString(_key.Reveal()[^64..])));
    }

    private KeyRecord Record() => new()
    {
        Id = _key.Id,
        Name = "test",
        Tenant = "acme",
        Role = Role.User,
        CreatedAt = Now,
        CreatedBy = "admin",
        Secrets = [KeySecret.Of(_key)],
    };
}
