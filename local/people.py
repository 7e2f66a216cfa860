"""The demo's two accounts in the stack's user pool."""

from typing import Any

from local.passwords import Passwords

ACCOUNTS = {"user": ["user"], "admin": ["admin"]}  # name → groups


def seed_people(cognito: Any, pool_id: str, passwords: Passwords) -> None:
    """Make the accounts, with their passwords and groups; repeating it changes nothing."""
    for name, groups in ACCOUNTS.items():
        try:
            cognito.admin_create_user(
                UserPoolId=pool_id,
                Username=name,
                MessageAction="SUPPRESS",
                UserAttributes=[
                    {"Name": "email", "Value": f"{name}@example.com"},
                    {"Name": "email_verified", "Value": "true"},
                    {"Name": "name", "Value": name.capitalize()},
                ],
            )
        except cognito.exceptions.UsernameExistsException:
            continue
        cognito.admin_set_user_password(
            UserPoolId=pool_id, Username=name, Password=getattr(passwords, name), Permanent=True
        )
        for group in groups:
            cognito.admin_add_user_to_group(UserPoolId=pool_id, Username=name, GroupName=group)


def id_token(cognito: Any, client_id: str, name: str, password: str) -> str:
    """Sign somebody in; the token is what the API takes as a bearer."""
    answer = cognito.initiate_auth(
        ClientId=client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": password},
    )
    return str(answer["AuthenticationResult"]["IdToken"])
