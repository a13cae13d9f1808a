export const place = { account: '111122223333', region: 'eu-west-1' }
